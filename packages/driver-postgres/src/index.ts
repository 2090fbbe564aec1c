// Reading order: driver, statements, sending, executor, executors/*, errors, provisioning, from-url.
export { type PostgresDriverOptions, postgresDriver } from "./driver.ts";
export type { PostgresExecutor, PostgresResult, PostgresTimeLimit } from "./executor.ts";
export type { AnyPostgresClientLike } from "./executors/executor-of.ts";
export type { PgClientLike, PgPoolClientLike, PgPoolLike, PgQuery, PgResult } from "./executors/pg.ts";
export { fromUrl, type PostgresUrlOptions } from "./from-url.ts";
