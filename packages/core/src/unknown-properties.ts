/** Where people who come from express-session find what to write instead. */
const GUIDE = "docs/from-express-session.md";

/** Methods and properties of express-session's sessions that code may read before it would set any. */
const FOREIGN = ["regenerate", "save", "reload", "destroy", "touch", "resetMaxAge", "cookie"];

function refuse(property: string, verb: string): never {
  throw new TypeError(
    `session.${property} cannot be ${verb}: a session keeps values in stores, session.store("app").set("user", …). Coming from express-session? See ${GUIDE}`,
  );
}

/**
 * The end of a session's prototype chain. Setting a property that a session does not have would be lost without a word,
 * because only stores are kept. The trap is reached after all known members, which therefore cost what they did.
 */
const end = new Proxy<object>(
  {},
  {
    set(_, property, value, receiver) {
      // Frameworks and adapters keep notes under symbols.
      if (typeof property === "string") refuse(property, "set");
      return Reflect.defineProperty(receiver, property, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    },
  },
);

/** Makes the instances of a class refuse properties that they do not have, in sloppy code too. */
export function refuseUnknownProperties(prototype: object): void {
  // Without a setter sloppy code would go on as if the property had been set.
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
    if (descriptor.get)
      Object.defineProperty(prototype, name, { ...descriptor, set: () => refuse(name, "set") });
  for (const name of FOREIGN)
    Object.defineProperty(prototype, name, {
      get: () => refuse(name, "used"),
      set: () => refuse(name, "set"),
      configurable: true,
    });
  Object.setPrototypeOf(prototype, end);
}
