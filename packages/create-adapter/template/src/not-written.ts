/** The error of a step that is not written yet. Delete this file when all steps are written. */
export function notWritten(step: string, must: string, promises: string): Error {
  return new Error(`${step} is not written yet: it must ${must} (${promises} in __spec__)`);
}
