import {
  DriverUnavailableError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";

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
  if (error instanceof TypeError && error.message.endsWith("busy executing a query")) return "SQLITE_LOCKED";
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

/** What an error of a statement means; `undefined` where the client cannot be used at all. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    const code = codeOf(cause);
    // better-sqlite3 says the one of a value, the other of a result.
    if (cause instanceof RangeError || code === "SQLITE_TOOBIG") return tooLarge(cause);
    if (code === undefined) return undefined;
    const message = cause instanceof Error ? cause.message : "";
    if (message.startsWith("no such table"))
      return new SessionSetupError(
        `sqlite: there is no table "${table}": call sessions.setup(), or driver.setup() where there is no manager`,
        { cause },
      );
    if (/no such (column|index)|has no column|ON CONFLICT clause/.test(message))
      return new SessionSetupError(`sqlite: the table "${table}" is not as it must be: see check()`, {
        cause,
      });
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
