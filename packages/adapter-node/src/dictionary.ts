const isOld = Number(process.versions.node.split(".", 1)[0]) < 24;

/**
 * Turns a request or response into a V8 dictionary if a framework has changed its prototype, as Express does. Before
 * Node 24, V8 makes a new hidden class for such an object each time a property is set. That takes microseconds, and so
 * does each later use of any property. Deleting one property makes the object a dictionary without a hidden class.
 *
 * It halves the processor time of a request on Express (Node 20.20 and 22.23, November 2026). Remove this file when
 * Node 22 goes out of maintenance, in April 2027; Node 20 is past its end already.
 */
export function makeDictionary<T extends object, K extends keyof T>(object: T, property: K): void {
  // An unchanged prototype is the one of the object's class, which has `constructor`.
  if (!isOld || Object.hasOwn(Object.getPrototypeOf(object), "constructor")) return;
  const value = object[property];
  if (Reflect.deleteProperty(object, property)) object[property] = value;
}
