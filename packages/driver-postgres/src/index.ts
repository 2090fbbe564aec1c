// Reading order: driver, statements, connection, errors, provisioning, from-url.
export type { PgClientLike, PgPoolClientLike, PgPoolLike, PgQuery, PgResult } from "./connection.ts";
export { type PostgresDriverOptions, postgresDriver } from "./driver.ts";
export { fromUrl, type PostgresUrlOptions } from "./from-url.ts";
