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

/** Whether another transaction was in the way. This one was rolled back, and may be tried again. */
export const isContention: (error: unknown) => boolean = isOneOf(
  "40001", // serialization_failure
  "40P01", // deadlock_detected
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
 * Copies an error without the row and the parameters, which the server and the client put into its other properties. The
 * message may hold them only if a value had a wrong form (class 22) or a function raised the error: a trigger chooses its
 * own message.
 */
export function withoutRow(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const state = stateOf(error);
  const { message } = error instanceof Error ? error : { message: "" };
  const isOfServer = error instanceof Error && "severity" in error;
  if (!isOfServer) return shownError(error, HARMLESS, message);
  const mayShow = state?.startsWith("22") || ("where" in error && error.where !== undefined);
  return mayShow
    ? shownError(
        error,
        HARMLESS,
        `PostgreSQL refused the statement (${state}). Its message may hold the row, so it is left out.`,
      )
    : shownError(error, [...HARMLESS, ...NAMES], message);
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
