/** The lines of a stack behind its message, which may hold anything. None where it cannot be told where the message ends. */
function framesOf({ message, stack = "" }: Error): string {
  // Some clients give the message later: then the first line has the name alone.
  const start = stack.includes(message) ? stack.indexOf(message) + message.length : 0;
  return /^[^\n]{0,60}((?:\n {4}at [^\n]*)+)$/.exec(stack.slice(start))?.[1] ?? "";
}

/**
 * A copy of a client's error that may be logged: its name, where it arose, and the properties named. Servers and clients
 * put the refused row, the statement and its parameters into others, and servers into the message too.
 *
 * @param keep The properties that hold no data; those of other types than text, number and boolean stay away.
 * @param message What the copy says.
 */
export function shownError(error: unknown, keep: readonly string[], message: string): Error {
  const shown = new Error(message);
  if (!(error instanceof Error)) return shown;
  const name = /^\w{1,60}$/.test(error.name) ? error.name : "Error";
  Object.defineProperty(shown, "name", { value: name, configurable: true, writable: true });
  shown.stack = `${name}: ${message}${framesOf(error)}`;
  for (const key of keep) {
    const value: unknown = Reflect.get(error, key);
    if (["string", "number", "boolean"].includes(typeof value)) Reflect.set(shown, key, value);
  }
  return shown;
}
