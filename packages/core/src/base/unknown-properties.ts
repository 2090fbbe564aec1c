/**
 * Makes the instances of a class refuse to be given properties, in sloppy code too: the value would be lost without a word.
 * The trap is reached after all known members, which therefore cost what they did.
 *
 * @param refuse Throws.
 */
export function refuseUnknownProperties(prototype: object, refuse: (property: string) => never): void {
  for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
    if (name !== "constructor")
      Object.defineProperty(prototype, name, {
        get: get ?? (() => value),
        set(given) {
          // A method may be wrapped, for a trace or a test.
          if (get || typeof given !== "function") refuse(name);
          Object.defineProperty(this, name, { value: given, configurable: true, writable: true });
        },
      });
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
  Object.setPrototypeOf(prototype, end);
}
