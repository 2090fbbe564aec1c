import {
  DriverUnavailableError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import { shownError } from "@sessions/core/driver-tools";

/**
 * The code of a server's error; where a command held several writes, that of the write. `undefined` for any other
 * error.
 */
export function codeOf(error: unknown): number | undefined {
  const { name, code, writeErrors } = Object(error);
  // An aborted call is a DOMException, whose code is a number too.
  if (!String(name).startsWith("Mongo")) return undefined;
  const inner: unknown = Array.isArray(writeErrors) ? writeErrors[0]?.code : undefined;
  // Through text, because with `promoteValues: false` the client returns numbers as objects.
  return [inner, code].map((found) => Number.parseInt(String(found), 10)).find(Number.isSafeInteger);
}

// Codes of the server's errors.
export const DUPLICATE_KEY = 11_000;
export const NAMESPACE_NOT_FOUND = 26;
export const UNAUTHORIZED = 13;

// BSONObjectTooLarge, and the codes of updates that make a document too large. The last is DocumentDB's, passed on by
// FerretDB.
const TOO_LARGE: readonly (number | undefined)[] = [10_334, 17_419, 17_420, 285_999_133];
// The client's messages about a document that it does not send.
const UNSENDABLE =
  /larger than the maximum|is out of range|out of bounds|too large|exceeds maximum|maxBsonObjectSize/i;
// IndexOptionsConflict, IndexKeySpecsConflict: another index has the name or the keys.
const OTHER_INDEX: readonly (number | undefined)[] = [85, 86];

/** A session that is larger than a document may be. */
export const tooLarge = (cause?: unknown): SessionTooLargeError =>
  new SessionTooLargeError(
    "mongodb: a session must fit into 16 MB; nothing was changed. Store less in it.",
    cause === undefined ? undefined : { cause },
  );

/** Copies a server's error without the document and the command, which it has in its message and other properties. */
const withoutDocument = (error: unknown, code: number): Error =>
  Object.assign(
    shownError(
      error,
      ["codeName"],
      `MongoDB refused the command (error ${code}). Its message may hold the document, so it is left out.`,
    ),
    { code },
  );

/** The meaning of an error of the client; `undefined` where the server could not be reached. */
export function translate(error: unknown): SessionError | undefined {
  const code = codeOf(error);
  const cause = code === undefined ? error : withoutDocument(error, code);
  if (TOO_LARGE.includes(code) || (error instanceof Error && isUnsendable(error))) return tooLarge(cause);
  if (OTHER_INDEX.includes(code))
    return new SessionSetupError(
      "mongodb: an index has other options than the driver's. Drop the index that check() names, and call sessions.setup() again, or driver.setup() where there is no manager.",
      { cause },
    );
  if (code === undefined) return undefined;
  const { codeName } = Object(error);
  const shown = typeof codeName === "string" ? codeName : `error ${code}`;
  return new DriverUnavailableError(
    `mongodb: the server refuses with ${shown}; a change may or may not have been made. The cause says more.`,
    { cause },
  );
}

function isUnsendable(error: Error): boolean {
  const isOfClient =
    error instanceof RangeError || ["BSONError", "MongoInvalidArgumentError"].includes(error.name);
  return isOfClient && UNSENDABLE.test(error.message);
}
