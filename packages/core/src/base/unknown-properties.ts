/**
 * Makes instances of a class refuse properties that a program sets, in sloppy mode too. The value would be silently lost.
 * The trap comes after all known members.
 *
 * @param refuse Throws the error that says what to do instead.
 */
export function refuseUnknownProperties(prototype: object, refuse: (property: string) => never): void {
  for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype)))
    if (name !== "constructor")
      Object.defineProperty(prototype, name, {
        get: get ?? (() => value),
        set(given) {
          // A function may replace a method: tracing code and tests wrap methods.
          if (get || typeof given !== "function") refuse(name);
          Object.defineProperty(this, name, { value: given, configurable: true, writable: true });
        },
      });
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
  Object.setPrototypeOf(prototype, end);
}
