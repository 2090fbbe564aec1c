import {
  DriverUnavailableError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";

/**
 * The code of a server's error; a write's is inside where a command held several. `undefined` where the error is no
 * server's.
 */
export function codeOf(error: unknown): number | undefined {
  const { name, code, writeErrors } = Object(error);
  // A DOMException, which an aborted call is, has a number for a code as well.
  if (!String(name).startsWith("Mongo")) return undefined;
  const inner: unknown = Array.isArray(writeErrors) ? writeErrors[0]?.code : undefined;
  // As text in between: with `promoteValues: false` on its collection the client makes an object of a number.
  return [inner, code].map((found) => Number.parseInt(String(found), 10)).find(Number.isSafeInteger);
}

export const DUPLICATE_KEY = 11_000;
export const NAMESPACE_NOT_FOUND = 26;
export const UNAUTHORIZED = 13;

// BSONObjectTooLarge, and what an update that makes a document too large has been answered with.
// The last is DocumentDB's, as FerretDB passes it on.
const TOO_LARGE: readonly (number | undefined)[] = [10_334, 17_419, 17_420, 285_999_133];
// What the client says of a document that it does not even send.
const UNSENDABLE =
  /larger than the maximum|is out of range|out of bounds|too large|exceeds maximum|maxBsonObjectSize/i;
// IndexOptionsConflict, IndexKeySpecsConflict: an index of that name or keys is there and is another.
const OTHER_INDEX: readonly (number | undefined)[] = [85, 86];

/** What an error of the client means; `undefined` where it is one more way not to reach the server. */
export function translate(error: unknown): SessionError | undefined {
  const code = codeOf(error);
  if (TOO_LARGE.includes(code) || (error instanceof Error && isUnsendable(error)))
    return new SessionTooLargeError("mongodb: a session must fit into 16 MB; nothing was changed", {
      cause: error,
    });
  if (OTHER_INDEX.includes(code))
    return new SessionSetupError(
      "mongodb: an index is there that is not as it must be; check() names it: drop it, and call sessions.setup() again, or driver.setup() where there is no manager",
      { cause: error },
    );
  if (code === undefined) return undefined;
  const { codeName } = Object(error);
  const shown = typeof codeName === "string" ? codeName : `error ${code}`;
  return new DriverUnavailableError(
    `mongodb: the server refuses with ${shown}; a change may or may not have been made`,
    { cause: error },
  );
}

function isUnsendable(error: Error): boolean {
  const local =
    error instanceof RangeError || ["BSONError", "MongoInvalidArgumentError"].includes(error.name);
  return local && UNSENDABLE.test(error.message);
}
