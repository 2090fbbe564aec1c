// Reading order: driver, statements, sending, executor, executors/*, errors, provisioning, from-url.
export { type PostgresDriverOptions, postgresDriver } from "./driver.ts";
export type { PostgresExecutor, PostgresResult, PostgresTimeLimit } from "./executor.ts";
export type { BunSqlLike, BunSqlQueryLike, BunSqlRows } from "./executors/bun.ts";
export type { AnyPostgresClientLike } from "./executors/executor-of.ts";
export type { NeonHttpLike, NeonHttpOptions } from "./executors/neon.ts";
export type { PgClientLike, PgPoolClientLike, PgPoolLike, PgQuery, PgResult } from "./executors/pg.ts";
export type { PgliteLike, PgliteQueryOptions } from "./executors/pglite.ts";
export type { PostgresJsLike, PostgresJsQueryLike, PostgresJsRows } from "./executors/postgres-js.ts";
export { fromUrl, type PostgresUrlOptions } from "./from-url.ts";
