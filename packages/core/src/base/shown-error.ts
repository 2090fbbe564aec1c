/** The stack without the message, which may hold data. Empty if the end of the message cannot be found. */
function framesOf({ message, stack = "" }: Error): string {
  // Some clients set the message after the stack was captured; then the first line holds only the name.
  const start = stack.includes(message) ? stack.indexOf(message) + message.length : 0;
  return /^[^\n]{0,60}((?:\n {4}at [^\n]*)+)$/.exec(stack.slice(start))?.[1] ?? "";
}

/**
 * Copies a client's error so that it is safe to log. The copy has the error's name and stack frames, and the properties
 * in `keep`. The message and other properties are left out, because servers and clients put the refused row, the
 * statement and its parameters into them.
 *
 * @param keep Names of properties that hold no data. Only texts, numbers and booleans are copied.
 * @param message The message of the copy.
 * @example
 * const refused = Object.assign(new Error("duplicate key (secret)"), { code: "23505" });
 * throw shownError(refused, ["code"], "postgres: the server refused the row");
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
