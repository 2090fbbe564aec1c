import {
  DriverUnavailableError,
  isSessionError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import { shownError } from "@sessions/core/driver-tools";

/** The SQLSTATE of a server's error (PostgreSQL's manual, appendix A), or the system's code. */
function stateOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const isOneOf =
  (...states: readonly string[]) =>
  (error: unknown): boolean =>
    states.includes(stateOf(error) ?? "");

const OPEN_TRANSACTION = "25001"; // active_sql_transaction
const FAILED_TRANSACTION = "25P02"; // in_failed_sql_transaction

/** Whether another transaction was in the way. Nothing was changed, and the statement may be tried again. */
export const isContention: (error: unknown) => boolean = isOneOf(
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  OPEN_TRANSACTION,
  FAILED_TRANSACTION,
);

/** Tells that nothing was sent on a connection, because the application has begun a transaction there. */
export const openTransaction = (): Error =>
  Object.assign(new Error("The application has a transaction open"), { code: OPEN_TRANSACTION });

/** Tells what became of a call that waited for the end of a transaction. */
export const transactionInTheWay = (cause?: unknown): DriverUnavailableError =>
  new DriverUnavailableError(
    "postgres: the application has a transaction open on the client's only connection. Nothing was changed. End the transaction before, or give the driver a pool.",
    { cause },
  );

/** Tells that a statement was executed in a transaction of the application, so that it may still be rolled back. */
export const ranInTransaction = (): DriverUnavailableError =>
  new DriverUnavailableError(
    "postgres: the call ran in an open transaction of the application, which may still roll it back. End a transaction before the next call, or before you release its connection to the pool.",
  );

/**
 * Whether the connection lacks the prepared statement, has another under its name, or has one for an older table. That
 * happens behind PgBouncer, where the next statement goes to another server process. Nothing was executed.
 */
export const isNotPrepared: (error: unknown) => boolean = isOneOf(
  "26000", // invalid_sql_statement_name
  "42P05", // duplicate_prepared_statement
  "0A000", // feature_not_supported: cached plan must not change result type
);

/**
 * Whether the connection can still be used after this error. It can after an error of the server, except those that end
 * the connection (connection exceptions, an operator's intervention, an idle timeout), and after a timeout before the
 * statement was sent. After any other error the state of the connection is unknown.
 */
export function isUsableAfter(error: unknown): boolean {
  if (isSessionError(error)) return true;
  return error instanceof Error && "severity" in error && !/^(08|57P|25P03)/.test(stateOf(error) ?? "");
}

/** Properties that hold neither a row nor a parameter. */
const HARMLESS = ["code", "severity", "file", "line", "routine", "position", "errno", "syscall", "address"];
const NAMES = ["schema", "table", "column", "dataType", "constraint"];

/**
 * Classes of errors in whose messages the server itself names at most its objects: connections, constraints,
 * transactions, accounts, resources, states, the operator's intervention, the system. In others it quotes values.
 */
const NAMES_NO_VALUE = /^(08|23|25|28|3D|40|42501|53|54|55|57|58)/;

/**
 * Copies an error without the row and the parameters, which the server and the client put into its other properties. A
 * trigger chooses its message and its state, so the message is shown only where the client says that there was no
 * function: `where` is there, and empty.
 */
export function withoutRow(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const state = stateOf(error);
  const { message } = error instanceof Error ? error : { message: "" };
  const isOfServer = error instanceof Error && "severity" in error;
  if (!isOfServer) return shownError(error, HARMLESS, message);
  const isOfServerItself = "where" in error && (error.where ?? "") === "";
  return isOfServerItself && NAMES_NO_VALUE.test(state ?? "")
    ? shownError(error, [...HARMLESS, ...NAMES], message)
    : shownError(
        error,
        HARMLESS,
        `PostgreSQL refused the statement (${state}). Its message may hold the row, so it is left out.`,
      );
}

const SETUP = "Call sessions.setup(), or driver.setup() if there is no manager.";

/** The meaning of an error of the server; `undefined` if it only says that the backend cannot be used. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    switch (stateOf(cause)) {
      case "42P01": // undefined_table
        return new SessionSetupError(`postgres: table "${table}" does not exist. ${SETUP}`, { cause });
      case "3F000": // invalid_schema_name
        return new SessionSetupError(
          `postgres: the schema of "${table}" does not exist. Run CREATE SCHEMA. ${SETUP}`,
          { cause },
        );
      case "42703": // undefined_column
      case "42883": // undefined_function: no operator for these types, so a column has another type
        return new SessionSetupError(
          `postgres: table "${table}" does not have the expected columns. Run sessions.check(), or driver.check() if there is no manager, to see what differs.`,
          { cause },
        );
      case "54000": // program_limit_exceeded
        return new SessionTooLargeError(
          "postgres: the record is larger than a jsonb value can be. Store less in the session.",
          { cause },
        );
      case OPEN_TRANSACTION:
      case FAILED_TRANSACTION:
        return transactionInTheWay(cause);
      default:
        if (cause instanceof Error && /^Cannot use a pool after|^Client was closed/.test(cause.message))
          return new DriverUnavailableError(
            "postgres: the client is closed. Keep it open as long as the driver is used.",
            { cause },
          );
        return undefined;
    }
  };
}

/** Whether the user lacks the permission. */
export const isDenied = (error: unknown): boolean =>
  stateOf(error instanceof Error ? error.cause : undefined) === "42501"; // insufficient_privilege
