import type { MysqlExecutor } from "../executor.ts";
import { type BunSqlLike, bunSql } from "./bun.ts";
import { type AnyMariadbLike, mariadb } from "./mariadb.ts";
import { type AnyMysqljsLike, mysql } from "./mysql.ts";
import { type MysqlClientLike, mysql2 } from "./mysql2.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnyMysqlClientLike =
  | MysqlClientLike
  | AnyMariadbLike
  | AnyMysqljsLike
  | BunSqlLike
  | MysqlExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST =
  "a pool or a connection of mysql2, mariadb or mysql, a cluster of mysql2/promise or mariadb, Bun's SQL, or a MysqlExecutor";
export const FORMS = ["lease()", "promise()", "getConnection()", "query()"] as const;
export const ROWS = ["mysql2", "mariadb", "mysql", "bun sql"] as const;

const isMariadb = (client: object): client is AnyMariadbLike => "batch" in client || "_setCallback" in client;
const isMysqljs = (client: object): client is AnyMysqljsLike =>
  "escapeId" in client && !("execute" in client);

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(client: AnyMysqlClientLike): MysqlExecutor {
  if ("lease" in client) return client;
  if ("beginDistributed" in client) return bunSql(client);
  if (isMariadb(client)) return mariadb(client);
  if (isMysqljs(client)) return mysql(client);
  return mysql2(client);
}
