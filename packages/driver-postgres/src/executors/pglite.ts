import { openTransaction, transactionInTheWay } from "../errors.ts";
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
  /** Whether the connection is in a transaction. Missing in older versions, and in a tab's client of a worker. */
  isInTransaction?(): boolean;
}

/** Options of one statement. */
export interface PgliteQueryOptions {
  readonly rowMode: "array";
  /** By the types' numbers. */
  readonly serializers: Record<number, (value: string) => string>;
}

const TEXT = 25;

/** Runs statements on a database of `PGlite`, in this process. It may be busy with a transaction of the application. */
export function pglite(database: PgliteLike): PostgresExecutor {
  const isInTransaction = (): boolean => database.isInTransaction?.() === true;
  // The client's own transactions end before it sends a statement. What the application begins by itself does not, and
  // only here does nothing come between the question and the statement.
  const serializers = {
    [TEXT](value: string): string {
      if (isInTransaction()) throw openTransaction();
      return value;
    },
  };
  return {
    async run(text, values, limit) {
      const late = () => (isInTransaction() ? transactionInTheWay() : undefined);
      const result = await database.query(text, withdrawable(values, limit, late), {
        rowMode: "array",
        serializers,
      });
      return { rows: result.rows, rowCount: result.affectedRows ?? 0 };
    },
  };
}
