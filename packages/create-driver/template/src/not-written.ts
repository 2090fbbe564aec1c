/** What a method rejects with until it is written; when all are, this file goes. */
export function notWritten(method: string, must: string, rules: string): Error {
  return new Error(`${method} is not written yet: it must ${must} (${rules} in SPEC.md)`);
}
