import { SessionConfigError } from "@sessions/core";
import type { PostgresExecutor } from "../executor.ts";
import { withdrawable } from "./withdrawable.ts";

// The few members of `postgres` (postgres.js) that the driver uses.

/** What a statement returned: rows of bytes, and how many rows it read or wrote. */
export interface PostgresJsRows extends Array<(Uint8Array | null)[]> {
  readonly count: number;
}

/** A statement that is sent when it is awaited. */
export interface PostgresJsQueryLike {
  raw(): PromiseLike<PostgresJsRows>;
}

/** What `postgres()` makes. */
export interface PostgresJsLike {
  readonly options: { readonly transform: { readonly row: { readonly from?: unknown } } };
  unsafe(
    text: string,
    values: (string | null)[],
    options: { readonly prepare: boolean },
  ): PostgresJsQueryLike;
  begin(...args: never[]): unknown;
}

/** Names that this client gives to an error's properties, and those of the driver. */
const NAMES = {
  schema_name: "schema",
  table_name: "table",
  column_name: "column",
  "data type_name": "dataType",
  constraint_name: "constraint",
} as const;

function renamed(error: unknown): unknown {
  for (const [name, known] of Object.entries(NAMES)) {
    const value: unknown = Object(error)[name];
    if (value !== undefined) Object.assign(Object(error), { [known]: value });
  }
  return error;
}

/**
 * Runs statements on a client of `postgres`. Its `cancel()` is not used: it ends the process by an unhandled rejection if
 * the server cannot be reached, and it loses a connection of the pool if that is not open yet. So a statement that is late
 * is made harmless while it waits in the client, and the server finishes what it has already.
 */
export function postgresJs(sql: PostgresJsLike): PostgresExecutor {
  // Bytes pass all settings of the client (parsers, names of columns, values) but this one.
  if (sql.options.transform.row.from)
    throw new SessionConfigError(
      "client must not change rows: make another with postgres() without transform.row for the driver",
    );
  return {
    async run(text, values, limit) {
      try {
        // A client that was made with `prepare: false`, as behind PgBouncer, does not prepare this one either.
        const result = await sql.unsafe(text, withdrawable(values, limit), { prepare: true }).raw();
        const rows = Array.from(result, (row) => row.map((value) => value && Buffer.from(value).toString()));
        return { rows, rowCount: result.count };
      } catch (error) {
        throw renamed(error);
      }
    },
  };
}
