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

/** SQLite's name for what went wrong, without the particulars: `better-sqlite3` tells the name, `node:sqlite` the number. */
export function codeOf(error: unknown): string | undefined {
  const { code, errcode }: Record<string, unknown> = Object(error);
  // Node before 22.16, which does not tell it beforehand.
  if (error instanceof Error && error.message.endsWith("transaction within a transaction"))
    return "SQLITE_LOCKED";
  if (typeof errcode === "number") return NAMES.get(errcode & 0xff) ?? `SQLITE_${errcode & 0xff}`;
  // better-sqlite3, in the middle of the application's own iterate().
  if (error instanceof Error && error.message.endsWith("busy executing a query")) return "SQLITE_LOCKED";
  return typeof code === "string" ? /^SQLITE_[A-Z]+/.exec(code)?.[0] : undefined;
}

/** Another connection, or another use of this one, is in the way. Nothing was written, and it may be tried again. */
export function isContention(error: unknown): boolean {
  return ["SQLITE_BUSY", "SQLITE_LOCKED"].includes(codeOf(error) ?? "");
}

/** As SQLite itself says where a connection is in its own way. */
export function transactionIsOpen(): Error {
  return Object.assign(new Error("A transaction is open on the handle"), { code: "SQLITE_LOCKED" });
}

export function tooLarge(cause: unknown): SessionTooLargeError {
  return new SessionTooLargeError("sqlite: a record of this size cannot be stored", { cause });
}

/** Properties that hold neither a row nor the statement. */
const HARMLESS = ["code", "errcode", "errstr"];
/** What a trigger or a function of the application's refuses, in its own words: their codes by the one client and by the other. */
const OWN_WORDS: readonly unknown[] = ["SQLITE_CONSTRAINT_TRIGGER", "SQLITE_CONSTRAINT_FUNCTION", 1811, 1043];
/** Words of SQLite's and of the clients' that name what is wrong, and never a value, where the code alone tells little. */
const NAMING =
  /^(no such (table|column|index): [\w.]+|table \w+ has no column named \w+|ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint|malformed JSON|cannot start a transaction within a transaction|A transaction is open on the handle|This (database connection|statement) is busy executing a query|(The )?database (connection )?is not open|The driver is closed|Cannot open database because the directory does not exist|The bound string, buffer, or bigint is too big)$/;

/** An error without what the row holds. */
export function withoutRow(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const { code, errcode }: Record<string, unknown> = Object(error);
  const known = codeOf(error) ?? "SQLITE_ERROR";
  const message = error instanceof Error ? error.message : "";
  const names =
    NAMING.test(message) ||
    (known !== "SQLITE_ERROR" && !OWN_WORDS.includes(code) && !OWN_WORDS.includes(errcode));
  return shownError(
    error,
    HARMLESS,
    names ? message : `Refused (${known}); the words may show the row, and are left out`,
  );
}

const SETUP = "call sessions.setup(), or driver.setup() where there is no manager";

/** What an error of a statement means; `undefined` where the client cannot be used at all. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    const code = codeOf(cause);
    // better-sqlite3 says the one of a value, the other of a result.
    if ((cause instanceof Error && cause.name === "RangeError") || code === "SQLITE_TOOBIG")
      return tooLarge(cause);
    const message = cause instanceof Error ? cause.message : "";
    if (/database (connection )?is not open/.test(message))
      return new DriverUnavailableError(
        "sqlite: the handle is closed: keep it open for as long as the driver is used",
        { cause },
      );
    if (code === undefined) return undefined;
    if (message.startsWith("no such table"))
      return new SessionSetupError(`sqlite: there is no table "${table}": ${SETUP}`, { cause });
    if (/no such (column|index)|has no column|ON CONFLICT clause/.test(message))
      return new SessionSetupError(
        `sqlite: the table "${table}" is not as it must be: sessions.check() says why, or driver.check() where there is no manager`,
        { cause },
      );
    if (code === "SQLITE_LOCKED")
      return new DriverUnavailableError(
        "sqlite: the handle was in use by the application all the time: give the driver one of its own",
        { cause },
      );
    if (code === "SQLITE_BUSY")
      return new DriverUnavailableError("sqlite: another connection had the database locked all the time", {
        cause,
      });
    return new DriverUnavailableError(`sqlite: the database cannot be used (${code})`, { cause });
  };
}
