/** Keeps sessions in PostgreSQL. */
export type { PgClientLike, PgPoolClientLike, PgPoolLike, PgQuery, PgResult } from "./connection.ts";
export { type PostgresDriverOptions, postgresDriver } from "./driver.ts";
export { fromUrl, type PostgresUrlOptions } from "./from-url.ts";
