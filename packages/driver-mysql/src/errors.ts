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
const TRANSACTION_IS_OPEN = 1568; // ER_CANT_CHANGE_TX_CHARACTERISTICS
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
/** Messages that name only a column or a constraint. Any other message may hold the row: a trigger chooses its text. */
const NAMING =
  /^(Column|Field|Data too long for column|Check constraint|CONSTRAINT) ['`][\w$.]{1,130}['`] (cannot be null|doesn't have a default value|at row \d+|is violated\.|failed for `\w+`\.`\w+`)$/;

/** The error number of the server; `undefined` for any other error. */
export function numberOf(error: unknown): number | undefined {
  return error instanceof Error && "errno" in error && typeof error.errno === "number"
    ? error.errno
    : undefined;
}

const isOneOf =
  (numbers: readonly number[]) =>
  (error: unknown): boolean =>
    numbers.includes(numberOf(error) ?? 0);

/** Whether another transaction was in the way. This one was rolled back, and may be tried again. */
export const isContention: (error: unknown) => boolean = isOneOf(NOTHING_WRITTEN);
/** Whether the server refused to change the next transaction, because one is open. */
export const isInTransaction: (error: unknown) => boolean = isOneOf([TRANSACTION_IS_OPEN]);
/** Whether the server takes no writes: it is a replica, or no longer the primary. */
export const isReadOnly: (error: unknown) => boolean = isOneOf(READ_ONLY);
/** Whether the user lacks the permission. */
export const isDenied: (error: unknown) => boolean = isOneOf(DENIED);
/** Whether the connection can still be used after this error. */
export const isHarmless: (error: unknown) => boolean = (error) =>
  error instanceof SessionTooLargeError || numberOf(error) === NO_SUCH_TABLE;

/** Properties that hold neither a row nor the statement. */
const HARMLESS = ["code", "errno", "sqlState", "fatal", "syscall", "address", "port"];

/** Copies an error without the statement, which the client adds, and without values of the row. */
export function withoutRow(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const { message, sqlState, sqlMessage }: Record<string, unknown> =
    error instanceof Error ? { sqlState: undefined, ...error, message: error.message } : {};
  // Some clients put more than the server's own words into the message.
  const words = String(sqlMessage ?? message ?? "");
  // An error of the server has its number; a system's error has a negative one.
  const isServers = sqlState !== undefined || (numberOf(error) ?? 0) > 0;
  return shownError(
    error,
    HARMLESS,
    isServers && !NAMING.test(words)
      ? `The server refused the statement (error ${numberOf(error)}). Its message may hold the row, so it is left out.`
      : words,
  );
}

const SETUP = "Call sessions.setup(), or driver.setup() if there is no manager.";

/** How the clients say that they were closed. */
const CLOSED = /closed state|pool is closed|CMD_CONNECTION_CLOSED|ENQUEUE_AFTER/i;

/** The meaning of an error of the server; `undefined` if it only says that the backend cannot be used. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    const number = numberOf(cause);
    if (number === NO_SUCH_TABLE)
      return new SessionSetupError(`mysql: table "${table}" does not exist. ${SETUP}`, { cause });
    if (number === BAD_FIELD)
      return new SessionSetupError(
        `mysql: table "${table}" lacks a column. Run sessions.check(), or driver.check() if there is no manager, to see which.`,
        { cause },
      );
    if (TOO_LARGE.includes(number ?? 0)) return tooLarge(cause);
    if (cause instanceof Error && CLOSED.test(`${cause.message} ${"code" in cause ? cause.code : ""}`))
      return new DriverUnavailableError(
        "mysql: the client is closed, or its connection was lost. Use a pool, and keep it open as long as the driver is used.",
        { cause },
      );
    return undefined;
  };
}

export function tooLarge(cause?: unknown): SessionTooLargeError {
  return new SessionTooLargeError(
    "mysql: the record is too large for the server. Store less in the session, or raise max_allowed_packet.",
    { cause },
  );
}

export function inTransaction(): SessionConfigError {
  return new SessionConfigError(
    "mysqlDriver: client must have autocommit on and no open transaction. Give sessions a pool or a connection of their own.",
  );
}

/** Tells that a commit found the row, but not its version: a trigger that inserts into a table with AUTO_INCREMENT. */
export function hiddenBy(table: string): SessionSetupError {
  return new SessionSetupError(
    `mysql: a trigger on table "${table}" hides LAST_INSERT_ID() from the driver, so the change may or may not have been made. Drop the trigger, or let it insert only into tables without AUTO_INCREMENT.`,
  );
}
