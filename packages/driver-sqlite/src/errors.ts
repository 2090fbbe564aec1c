import {
  DriverUnavailableError,
  isSessionError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import { shownError } from "@sessions/core/driver-tools";

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "SQLITE_ERROR"],
  [5, "SQLITE_BUSY"],
  [6, "SQLITE_LOCKED"],
  [7, "SQLITE_NOMEM"],
  [8, "SQLITE_READONLY"],
  [10, "SQLITE_IOERR"],
  [11, "SQLITE_CORRUPT"],
  [13, "SQLITE_FULL"],
  [14, "SQLITE_CANTOPEN"],
  [18, "SQLITE_TOOBIG"],
  [19, "SQLITE_CONSTRAINT"],
  [26, "SQLITE_NOTADB"],
]);

/** SQLite's primary result code, by name. `better-sqlite3` has the name, `node:sqlite` the number. */
export function codeOf(error: unknown): string | undefined {
  const { code, errcode }: Record<string, unknown> = Object(error);
  if (error instanceof Error && error.message.endsWith("changed inside a transaction"))
    return "SQLITE_LOCKED";
  if (typeof errcode === "number") return NAMES.get(errcode & 0xff) ?? `SQLITE_${errcode & 0xff}`;
  // better-sqlite3, during an iterate() of the application.
  if (error instanceof Error && error.message.endsWith("busy executing a query")) return "SQLITE_LOCKED";
  return typeof code === "string" ? /^SQLITE_[A-Z]+/.exec(code)?.[0] : undefined;
}

/** Whether another connection, or another use of this one, was in the way. Nothing was written: try again. */
export function isContention(error: unknown): boolean {
  return ["SQLITE_BUSY", "SQLITE_LOCKED"].includes(codeOf(error) ?? "");
}

/**
 * For a client that does not tell whether a transaction is open, such as `node:sqlite` before Node 22.16: SQLite refuses
 * this statement inside a transaction, and outside it does nothing.
 */
export const OUTSIDE_ONLY = "PRAGMA temp.synchronous = 1";

/** The error for an open transaction of the application, with SQLite's code for a conflict within one connection. */
export function transactionIsOpen(): Error {
  return Object.assign(new Error("A transaction is open on the handle"), { code: "SQLITE_LOCKED" });
}

/** The error of SQLite that a client has put into words of its own. */
export const sqliteError = (error: unknown, code: string, message: string): Error =>
  Object.assign(shownError(error, [], message), { code });

export function tooLarge(cause: unknown): SessionTooLargeError {
  return new SessionTooLargeError("sqlite: the record is too large for SQLite. Store less in the session.", {
    cause,
  });
}

/** Properties that hold neither a row nor the statement. */
const HARMLESS = ["code", "errcode", "errstr"];
/**
 * Codes for refusals by a trigger or a function of the application, which choose their own messages. The last one may be
 * such a refusal: servers do not say more.
 */
const OWN_WORDS: readonly unknown[] = [
  ...["SQLITE_CONSTRAINT_TRIGGER", "SQLITE_CONSTRAINT_FUNCTION", 1811, 1043],
  "SQLITE_CONSTRAINT",
];
/** Messages of SQLite and of the clients that hold no value, and say more than the code. */
const NAMING =
  /^(no such (table|column|index): [\w.]+|table [\w.]+ has no column named \w+|(CHECK|NOT NULL|UNIQUE) constraint failed: [\w.]+|ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint|malformed JSON|A transaction is open on the handle|This (database connection|statement) is busy executing a query|(The )?database (connection )?is not open|Cannot use a closed database|Database has closed|The driver is closed|Cannot open database because the directory does not exist|The bound string, buffer, or bigint is too big)$/;

/** Copies an error without values of the row. */
export function withoutRow(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const { code, errcode }: Record<string, unknown> = Object(error);
  const known = codeOf(error);
  const message = error instanceof Error ? error.message : "";
  const names =
    NAMING.test(message) ||
    (known !== undefined &&
      known !== "SQLITE_ERROR" &&
      !OWN_WORDS.includes(code) &&
      !OWN_WORDS.includes(errcode));
  return shownError(
    error,
    HARMLESS,
    names
      ? message
      : `${known === undefined ? "The client failed" : `SQLite refused the statement (${known})`}. Its message may hold the row, so it is left out.`,
  );
}

const SETUP = "Call sessions.setup(), or driver.setup() if there is no manager.";

/** The meaning of an error of a statement; `undefined` if it is not an error of SQLite. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    const code = codeOf(cause);
    const message = cause instanceof Error ? cause.message : "";
    if (/database (connection )?is not open|closed database|Database has closed/.test(message))
      return new DriverUnavailableError(
        "sqlite: the handle is closed. Keep it open as long as the driver is used.",
        { cause },
      );
    // better-sqlite3 throws a RangeError for a value that is too large, and SQLITE_TOOBIG for a result.
    if ((cause instanceof Error && cause.name === "RangeError") || code === "SQLITE_TOOBIG")
      return tooLarge(cause);
    if (code === undefined) return undefined;
    if (message.startsWith("no such table"))
      return new SessionSetupError(`sqlite: table "${table}" does not exist. ${SETUP}`, { cause });
    if (/no such (column|index)|has no column|ON CONFLICT clause/.test(message))
      return new SessionSetupError(
        `sqlite: table "${table}" does not have the expected columns. Run sessions.check(), or driver.check() if there is no manager, to see what differs.`,
        { cause },
      );
    if (code === "SQLITE_LOCKED")
      return new DriverUnavailableError(
        "sqlite: timed out because the application used the same handle, in a transaction or an iterate(). Open a separate handle for sessions.",
        { cause },
      );
    if (code === "SQLITE_BUSY")
      return new DriverUnavailableError(
        "sqlite: timed out because another connection kept the database locked. Nothing was changed: try again, or raise the option timeout.",
        { cause },
      );
    return new DriverUnavailableError(`sqlite: the database cannot be used (${code})`, { cause });
  };
}
