import { isSessionError, type SessionError, SessionSetupError, SessionTooLargeError } from "@sessions/core";

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

/** What the server says of the place of an error, and no more. */
const PLACES = [
  "code",
  "severity",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
];

/**
 * The server's error without what it may show of a row, as an error ends in logs: the detail, the context, the statement.
 * A data exception (class 22) shows it in the message, and so may what a function raises, which has a context.
 */
export function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error && "severity" in error)) return error;
  const from: Record<string, unknown> = { ...error };
  const isShown = from["where"] === undefined && !/^22/.test(stateOf(error) ?? "");
  const copy = new Error(isShown ? error.message : `SQLSTATE ${stateOf(error)}`);
  copy.name = error.name;
  for (const place of PLACES) if (from[place] !== undefined) Object.assign(copy, { [place]: from[place] });
  return copy;
}

/** What the server's error means; `undefined` where the backend cannot be used. */
export function translate(table: string): (error: unknown) => SessionError | undefined {
  return (cause) => {
    switch (stateOf(cause)) {
      case "42P01": // undefined_table
      case "3F000": // invalid_schema_name
        return new SessionSetupError(
          `postgres: there is no table ${table}: call sessions.setup(), or driver.setup() where there is no manager`,
          { cause },
        );
      case "42703": // undefined_column
      case "42883": // undefined_function: an operator for these types, as of a column of another type
        return new SessionSetupError(`postgres: the table ${table} has other columns: see check()`, {
          cause,
        });
      case "54000": // program_limit_exceeded
        return new SessionTooLargeError("postgres: the record is more than PostgreSQL can hold", { cause });
      default:
        return undefined;
    }
  };
}
