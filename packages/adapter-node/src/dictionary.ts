const isOld = Number(process.versions.node.split(".", 1)[0]) < 24;

/**
 * Makes a dictionary of a request or response whose prototype a framework has changed, as Express does. Before Node 24
 * V8 gives such an object a hidden class of its own with every property that is set: each takes microseconds, and so
 * does every later use of any property. An object that lost a property has no hidden class any more.
 *
 * Express spends half the processor time on a request with this (Node 20.20 and 22.23, November 2026). Remove it when
 * Node 22 goes out of maintenance, in April 2027; Node 20 is past its end already.
 */
export function makeDictionary<T extends object, K extends keyof T>(object: T, property: K): void {
  // The prototype of a class has its constructor, and no framework has changed it.
  if (!isOld || Object.hasOwn(Object.getPrototypeOf(object), "constructor")) return;
  const value = object[property];
  if (Reflect.deleteProperty(object, property)) object[property] = value;
}
