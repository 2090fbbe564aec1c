import { SessionConfigError } from "@sessions/core";
import type { MysqlExecutor } from "../executor.ts";
import { type Line, lend, toPool } from "./lending.ts";

/** What Bun's client returns for a statement: the rows, with the server's counts beside. */
export interface BunSqlAnswerLike extends ReadonlyArray<object> {
  readonly affectedRows?: number | bigint | undefined;
  readonly lastInsertRowid?: number | bigint | undefined;
}

/** One connection of the pool inside Bun's client. */
export interface BunSqlReservedLike {
  unsafe(sql: string): PromiseLike<BunSqlAnswerLike>;
  release(): unknown;
  close(options?: { timeout: number }): Promise<unknown>;
}

/** The few members of Bun's client of SQL databases that the driver uses. */
export interface BunSqlLike {
  readonly options: object;
  beginDistributed(...args: never[]): unknown;
  reserve(): Promise<BunSqlReservedLike>;
}

/** Runs statements on Bun's own client. It does not show whether a transaction is open: one round trip more a call. */
export function bunSql(client: BunSqlLike): MysqlExecutor {
  const adapter: unknown = "adapter" in client.options ? client.options.adapter : undefined;
  if (adapter !== "mysql" && adapter !== "mariadb")
    throw new SessionConfigError(
      `client must be one for MySQL or MariaDB: new SQL("mysql://…"); got Bun's client of SQL databases for ${String(adapter)}`,
    );
  if ("release" in client || "savepoint" in client)
    throw new SessionConfigError(
      "client must be a pool, not a reserved connection or a transaction: give the driver the SQL object itself",
    );
  return {
    async lease(work) {
      const reserved = await client.reserve();
      const line: Line = {
        async send(sql) {
          const rows = await reserved.unsafe(sql);
          return { rows, affectedRows: rows.affectedRows, insertId: rows.lastInsertRowid };
        },
        destroy: async () => void reserved.close({ timeout: 0 }).catch(() => {}),
      };
      return lend(line, toPool(reserved), (lease) => work({ ...lease, connection: line }));
    },
  };
}
