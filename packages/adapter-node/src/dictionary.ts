const isOld = Number(process.versions.node.split(".", 1)[0]) < 24;

/**
 * Makes a dictionary of a request or response whose prototype a framework has changed, as Express does. Before Node 24
 * V8 gives such an object a hidden class of its own with every property that is set: each takes microseconds, and so
 * does every later use of any property. What lost a property has no hidden class any more.
 */
export function makeDictionary<T extends object, K extends keyof T>(object: T, property: K): void {
  // The prototype of a class is its own, and nobody has changed it.
  if (!isOld || Object.hasOwn(Object.getPrototypeOf(object), "constructor")) return;
  const value = object[property];
  if (Reflect.deleteProperty(object, property)) object[property] = value;
}
