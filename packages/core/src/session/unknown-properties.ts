/** Methods and properties of express-session that code may read, not only set. */
const FOREIGN = ["regenerate", "save", "reload", "destroy", "touch", "resetMaxAge", "cookie"];

function refuse(property: string): never {
  throw new TypeError(
    `session.${property} does not work: use a store, session.store("app").set("user", …). See docs/from-express-session.md`,
  );
}

/**
 * The end of a session's prototype chain. A property that a program sets on a session would be silently lost, because
 * only stores are kept. The trap comes after all known members, so they cost no more than without it.
 */
const end = new Proxy<object>(
  {},
  {
    set(target, property, value, receiver) {
      // Allow symbols: frameworks and adapters keep notes under them.
      if (typeof property === "string") refuse(property);
      return Reflect.set(target, property, value, receiver);
    },
  },
);

/** Makes instances of a class refuse unknown properties, in sloppy mode too. */
export function refuseUnknownProperties(prototype: object): void {
  for (const name of [...Object.getOwnPropertyNames(prototype), ...FOREIGN]) {
    const { get = () => refuse(name), value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    // Without a setter, sloppy mode would silently ignore the assignment.
    if (value === undefined) Object.defineProperty(prototype, name, { get, set: () => refuse(name) });
  }
  Object.setPrototypeOf(prototype, end);
}
