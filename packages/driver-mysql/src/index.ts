// Reading order: driver, statements, connection, errors, provisioning, from-url.
export type {
  MysqlCallbackClientLike,
  MysqlClientLike,
  MysqlConnectionLike,
  MysqlPoolConnectionLike,
  MysqlPoolLike,
  MysqlStatement,
} from "./connection.ts";
export { type MysqlDriverOptions, mysqlDriver } from "./driver.ts";
export { fromUrl, type MysqlUrlOptions } from "./from-url.ts";
