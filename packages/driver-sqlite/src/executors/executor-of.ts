import type { SqliteExecutor } from "../executor.ts";
import { type D1DatabaseLike, type DurableObjectSqlLike, d1, durableObject } from "./cloudflare.ts";
import { type LibsqlClientLike, libsql } from "./libsql.ts";
import { local, type SqliteClientLike } from "./local.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnySqliteClientLike =
  | SqliteClientLike
  | LibsqlClientLike
  | D1DatabaseLike
  | DurableObjectSqlLike
  | SqliteExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST =
  "a handle of better-sqlite3, node:sqlite or bun:sqlite, a client of @libsql/client, a database of Cloudflare D1, the sql of a Durable Object, or a SqliteExecutor";
export const FORMS = ["prepare() exec()", "read() write()"] as const;
export const ROWS = ["sqlite", "bun:sqlite", "@libsql/client", "d1", "durable object sql"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(client: AnySqliteClientLike): SqliteExecutor {
  if ("read" in client) return client;
  if ("executeMultiple" in client) return libsql(client);
  if ("batch" in client) return d1(client);
  if ("databaseSize" in client) return durableObject(client);
  return local(client, false);
}
