/** The error of a method that is not written yet. Delete this file when all methods are written. */
export function notWritten(method: string, must: string, rules: string): Error {
  return new Error(`${method} is not written yet: it must ${must} (${rules} in __spec__)`);
}
