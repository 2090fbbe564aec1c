import {
  DriverUnavailableError,
  isSessionError,
  type SessionError,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import { shownError } from "@sessions/core/driver-tools";

/** SQLSTATE, from the manual's appendix A. */
function stateOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const isOneOf =
  (...states: readonly string[]) =>
  (error: unknown): boolean =>
    states.includes(stateOf(error) ?? "");

/** Rolled back because of another transaction; may be tried again. */
export const isContention: (error: unknown) => boolean = isOneOf(
  "40001", // serialization_failure
  "40P01", // deadlock_detected
);

/**
 * The connection has no such prepared statement, has another under its name, or has one for a table that is no longer what
 * it was: behind PgBouncer the next statement goes to another server process. Nothing was executed.
 */
export const isNotPrepared: (error: unknown) => boolean = isOneOf(
  "26000", // invalid_sql_statement_name
  "42P05", // duplicate_prepared_statement
  "0A000", // feature_not_supported: cached plan must not change result type
);

/**
 * Whether a connection is as it was before. An error of the server leaves it so, unless that ends it (connection exceptions,
 * an operator's intervention, a timeout of its own); and where no time was left, nothing was sent. After any other nobody
 * knows its state.
 */
export function isUsableAfter(error: unknown): boolean {
  if (isSessionError(error)) return true;
  return error instanceof Error && "severity" in error && !/^(08|57P|25P03)/.test(stateOf(error) ?? "");
}

/** Properties that hold neither a row nor a parameter. */
const HARMLESS = ["code", "severity", "file", "line", "routine", "position", "errno", "syscall", "address"];
const NAMES = ["schema", "table", "column", "dataType", "constraint"];

/**
 * An error of a statement without the row and the parameters, which the server and the client put into others of its
 * properties. The message has none, unless a value was of a wrong form (class 22), or a function raised it: a trigger may
 * put the row anywhere.
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
        `PostgreSQL refuses (${state}); its words may show the row, and are left out`,
      )
    : shownError(error, [...HARMLESS, ...NAMES], message);
}

const SETUP = "call sessions.setup(), or driver.setup() where there is no manager";

/** What the server's error means; `undefined` where the backend cannot be used. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    switch (stateOf(cause)) {
      case "42P01": // undefined_table
        return new SessionSetupError(`postgres: there is no table ${table}: ${SETUP}`, { cause });
      case "3F000": // invalid_schema_name
        return new SessionSetupError(
          `postgres: there is no schema for ${table}: CREATE SCHEMA, then ${SETUP}`,
          {
            cause,
          },
        );
      case "42703": // undefined_column
      case "42883": // undefined_function: an operator for these types, as of a column of another type
        return new SessionSetupError(
          `postgres: the table ${table} has other columns: sessions.check() names them, or driver.check() where there is no manager`,
          { cause },
        );
      case "54000": // program_limit_exceeded
        return new SessionTooLargeError("postgres: the record is more than PostgreSQL can hold", { cause });
      default:
        if (cause instanceof Error && /^Cannot use a pool after|^Client was closed/.test(cause.message))
          return new DriverUnavailableError(
            "postgres: the client is closed: keep it open for as long as the driver is used",
            { cause },
          );
        return undefined;
    }
  };
}

/** Whether the user may not do it. */
export const isDenied = (error: unknown): boolean =>
  stateOf(error instanceof Error ? error.cause : undefined) === "42501"; // insufficient_privilege
