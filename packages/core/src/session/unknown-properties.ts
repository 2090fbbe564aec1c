/** Methods and properties of express-session's sessions that code may read before it would set any. */
const FOREIGN = ["regenerate", "save", "reload", "destroy", "touch", "resetMaxAge", "cookie"];

function refuse(property: string): never {
  throw new TypeError(
    `session.${property} does not work: use a store, session.store("app").set("user", …). See docs/from-express-session.md`,
  );
}

/**
 * The end of a session's prototype chain. Setting a property that a session does not have would be lost without a word,
 * because only stores are kept. The trap is reached after all known members, which therefore cost what they did.
 */
const end = new Proxy<object>(
  {},
  {
    set(target, property, value, receiver) {
      // Frameworks and adapters keep notes under symbols.
      if (typeof property === "string") refuse(property);
      return Reflect.set(target, property, value, receiver);
    },
  },
);

/** Makes the instances of a class refuse properties that they do not have, in sloppy code too. */
export function refuseUnknownProperties(prototype: object): void {
  for (const name of [...Object.getOwnPropertyNames(prototype), ...FOREIGN]) {
    const { get = () => refuse(name), value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    // Without a setter sloppy code would go on as if the property had been set.
    if (value === undefined) Object.defineProperty(prototype, name, { get, set: () => refuse(name) });
  }
  Object.setPrototypeOf(prototype, end);
}
