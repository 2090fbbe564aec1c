import type { PostgresExecutor } from "../executor.ts";
import { withdrawable } from "./withdrawable.ts";

/** The few members of `PGlite` of `@electric-sql/pglite` that the driver uses. */
export interface PgliteLike {
  query(
    text: string,
    values: (string | null)[],
    options: PgliteQueryOptions,
  ): Promise<{ readonly rows: unknown[]; readonly affectedRows?: number }>;
  execProtocol(...args: never[]): unknown;
}

/** Options of one statement. */
export interface PgliteQueryOptions {
  readonly rowMode: "array";
}

/** Runs statements on a database of `PGlite`, in this process. It may be busy with a transaction of the application. */
export function pglite(database: PgliteLike): PostgresExecutor {
  return {
    async run(text, values, limit) {
      const result = await database.query(text, withdrawable(values, limit), { rowMode: "array" });
      return { rows: result.rows, rowCount: result.affectedRows ?? 0 };
    },
  };
}
