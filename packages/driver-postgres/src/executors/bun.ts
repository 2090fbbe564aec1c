import { SessionConfigError } from "@sessions/core";
import type { PostgresExecutor } from "../executor.ts";
import { sendAndAsk } from "./open-transaction.ts";

/** What a statement returned: rows in the columns' order, and how many rows it read or wrote. */
export interface BunSqlRows extends Array<unknown[]> {
  readonly count: number | null;
}

/** A statement that is sent when it is awaited. */
export interface BunSqlQueryLike extends PromiseLike<BunSqlRows> {
  values(): BunSqlQueryLike;
  cancel(): unknown;
}

/** The few members of Bun's `SQL` that the driver uses. */
export interface BunSqlLike {
  readonly options: { readonly adapter?: string; readonly max?: number };
  unsafe(text: string, values: (string | null)[]): BunSqlQueryLike;
  begin(...args: never[]): unknown;
  beginDistributed(...args: never[]): unknown;
}

/**
 * The client has the SQLSTATE of the server's error in `errno`, as `code` one of its own. It leaves out what the server did
 * not send: without `where`, no function was involved.
 */
function withState(error: unknown): unknown {
  const { errno, severity, where }: Record<string, unknown> = Object(error);
  return typeof errno === "string" && severity !== undefined
    ? Object.assign(Object(error), { code: errno, where })
    : error;
}

/** Runs statements on Bun's own client of SQL databases. */
export function bunSql(sql: BunSqlLike): PostgresExecutor {
  const { adapter, max } = sql.options;
  if (adapter !== "postgres")
    throw new SessionConfigError(
      `client must be one of PostgreSQL; got Bun's client of SQL databases for ${adapter}`,
    );
  return {
    async run(text, values, limit) {
      try {
        const send = (one: string, its: (string | null)[]) => {
          const query = sql.unsafe(one, its).values();
          queries.push(query);
          return query;
        };
        const queries: BunSqlQueryLike[] = [];
        // What waits for a connection is never sent. What the server has goes on.
        limit.onOver(() => {
          for (const query of queries) query.cancel();
        });
        // With more connections than one, the client refuses a BEGIN outside of its own transactions.
        const result = await (max === 1 ? sendAndAsk(send, text, [...values]) : send(text, [...values]));
        return { rows: result, rowCount: result.count };
      } catch (error) {
        throw withState(error);
      }
    },
  };
}
