export type { SqliteClientLike, SqliteStatementLike, SqliteValue } from "./connection.ts";
export { type SqliteDriverOptions, sqliteDriver } from "./driver.ts";
export { fromUrl, type SqliteUrlOptions } from "./from-url.ts";
