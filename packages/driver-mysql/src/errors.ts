import {
  DriverUnavailableError,
  isSessionError,
  SessionConfigError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import { shownError } from "@sessions/core/driver-tools";

const NO_SUCH_TABLE = 1146;
const BAD_FIELD = 1054;
const TOO_LARGE = [
  1153, // ER_NET_PACKET_TOO_LARGE
  1301, // a function's result is larger than max_allowed_packet
  1118, // larger than a tenth of InnoDB's log
  1406, // ER_DATA_TOO_LONG
  3150, // ER_JSON_VALUE_TOO_BIG
];
const NOTHING_WRITTEN = [
  1213, // ER_LOCK_DEADLOCK
  1205, // ER_LOCK_WAIT_TIMEOUT
  1020, // ER_CHECKREAD: MariaDB's snapshot isolation
];
const READ_ONLY = [
  1290, // ER_OPTION_PREVENTS_STATEMENT
  1836, // ER_READ_ONLY_MODE
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
];
const DENIED = [
  1142, // ER_TABLEACCESS_DENIED_ERROR
  1143, // ER_COLUMNACCESS_DENIED_ERROR
];
/** The server's words where they name a column or a constraint, and nothing else. Any others may hold the row: a trigger chooses its own. */
const NAMING =
  /^(Column|Field|Data too long for column|Check constraint|CONSTRAINT) ['`][\w$.]{1,130}['`] (cannot be null|doesn't have a default value|at row \d+|is violated\.|failed for `\w+`\.`\w+`)$/;

/** The server's number of an error. */
export function numberOf(error: unknown): number | undefined {
  return error instanceof Error && "errno" in error && typeof error.errno === "number"
    ? error.errno
    : undefined;
}

const isOneOf =
  (numbers: readonly number[]) =>
  (error: unknown): boolean =>
    numbers.includes(numberOf(error) ?? 0);

/** Another transaction was in the way; this one was rolled back, and may be tried again. */
export const isContention: (error: unknown) => boolean = isOneOf(NOTHING_WRITTEN);
/** A replica, or a primary that is none any more. */
export const isReadOnly: (error: unknown) => boolean = isOneOf(READ_ONLY);
/** The user may not. */
export const isDenied: (error: unknown) => boolean = isOneOf(DENIED);
/** After these a connection is as it was before. */
export const isHarmless: (error: unknown) => boolean = (error) =>
  error instanceof SessionTooLargeError || numberOf(error) === NO_SUCH_TABLE;

/** Properties that hold neither a row nor the statement. */
const HARMLESS = ["code", "errno", "sqlState", "fatal", "syscall", "address", "port"];

/** An error without the statement, which the client adds, and the values of the row, which the server may tell. */
export function withoutRow(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const { message, sqlState }: Record<string, unknown> =
    error instanceof Error ? { sqlState: undefined, ...error, message: error.message } : {};
  const mayShow = sqlState !== undefined && !NAMING.test(String(message));
  return shownError(
    error,
    HARMLESS,
    mayShow
      ? `The server refuses (error ${numberOf(error)}); its words may show the row, and are left out`
      : String(message ?? ""),
  );
}

const SETUP = "call sessions.setup(), or driver.setup() where there is no manager";

/** What the server's error means; `undefined` where the backend cannot be used. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    const number = numberOf(cause);
    if (number === NO_SUCH_TABLE)
      return new SessionSetupError(`mysql: there is no table "${table}": ${SETUP}`, { cause });
    if (number === BAD_FIELD)
      return new SessionSetupError(
        `mysql: the table "${table}" lacks a column: sessions.check() names it, or driver.check() where there is no manager`,
        { cause },
      );
    if (TOO_LARGE.includes(number ?? 0)) return tooLarge(cause);
    if (cause instanceof Error && /closed state|Pool is closed/i.test(cause.message))
      return new DriverUnavailableError(
        "mysql: the client is closed, or its connection was lost: keep a pool open for as long as the driver is used",
        { cause },
      );
    return undefined;
  };
}

export function tooLarge(cause?: unknown): SessionTooLargeError {
  return new SessionTooLargeError("mysql: the server takes no statement of this size (max_allowed_packet)", {
    cause,
  });
}

export function inTransaction(): SessionConfigError {
  return new SessionConfigError(
    "client must have autocommit on and no transaction open: sessions need a pool or a connection of their own",
  );
}
