// Reading order: driver, statements, connection, errors, provisioning, from-url.
export type { SqliteClientLike, SqliteStatementLike, SqliteValue } from "./connection.ts";
export { type SqliteDriverOptions, sqliteDriver } from "./driver.ts";
export { fromUrl, type SqliteUrlOptions } from "./from-url.ts";
