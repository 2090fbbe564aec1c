// Reading order: driver, statements, executor, executors, calls, errors, provisioning, from-url.
export { type SqliteDriverOptions, sqliteDriver } from "./driver.ts";
export type { SqliteExecutor, SqliteStatement, SqliteTimeLimit, SqliteValue } from "./executor.ts";
export type { D1DatabaseLike, D1StatementLike, DurableObjectSqlLike } from "./executors/cloudflare.ts";
export type { AnySqliteClientLike } from "./executors/executor-of.ts";
export type { LibsqlClientLike } from "./executors/libsql.ts";
export type { SqliteClientLike, SqliteStatementLike } from "./executors/local.ts";
export { fromUrl, type SqliteUrlOptions } from "./from-url.ts";
