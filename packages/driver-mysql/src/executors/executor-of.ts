import type { MysqlExecutor } from "../executor.ts";
import { type MysqlClientLike, mysql2 } from "./mysql2.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnyMysqlClientLike = MysqlClientLike | MysqlExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST = "a pool or a connection of the package mysql2, or a MysqlExecutor";
export const FORMS = ["lease()", "promise()", "getConnection()", "query()"] as const;
export const ROWS = ["mysql2"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(client: AnyMysqlClientLike): MysqlExecutor {
  if ("lease" in client) return client;
  return mysql2(client);
}
