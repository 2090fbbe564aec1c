import { AssertionError } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";

export { AssertionError };

/** A value as one line. */
function show(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 12, maxStringLength: 60 });
}

function differ(actual: unknown, expected: unknown, what: string): never {
  const message = `${what}: expected ${show(expected)}, seen ${show(actual)}`;
  // Without an operator, because Node adds its own text to the message of a known one.
  throw new AssertionError({ message, actual, expected });
}

/** Fails with this message. It says what was expected and what was seen. */
export function fail(message: string): never {
  throw new AssertionError({ message });
}

/** Fails if the condition is false. The message says what was expected and what was seen. */
export function ok(condition: unknown, message: string): asserts condition {
  if (!condition) fail(message);
}

/** Fails if two values differ. `what` names the value, and may say why it is expected. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) differ(actual, expected, what);
}

/** The same for what arrays, sets and objects hold. */
export function deepEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) differ(actual, expected, what);
}
