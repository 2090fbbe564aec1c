import { type SessionError, SessionSetupError, SessionTooLargeError } from "@sessions/core";

/** Whether the system's error has one of these codes. */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.some((code) => code === error.code);

/** The system's codes for a step that this process's user may not do. */
export const NOT_ALLOWED: readonly string[] = ["EACCES", "EPERM", "EROFS"];

/** Waits for the work; `undefined` where it fails with one of these codes. */
export async function unless<T>(codes: string | readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, ...[codes].flat())) return undefined;
    throw error;
  }
}

/** The method to call, with a manager and without one. */
export const RUN_SETUP = "run sessions.setup(), or driver.setup() where there is no manager";

export const missing = (folder: string): SessionSetupError =>
  new SessionSetupError(`file: ${folder} is missing. Mount what belongs there, or ${RUN_SETUP}.`);

export const notFolder = (path: string): SessionSetupError =>
  new SessionSetupError(`file: ${path} is a link or a file, not a folder. Move it away, and ${RUN_SETUP}.`);

/** The meaning of the system's error; `undefined` where the disk cannot be used. */
export function translate(error: unknown): SessionError | undefined {
  return hasCode(error, "EFBIG", "ERR_FS_FILE_TOO_LARGE", "ERR_STRING_TOO_LONG")
    ? new SessionTooLargeError("file: the session is larger than a file can be here. Store less in it.", {
        cause: error,
      })
    : undefined;
}
