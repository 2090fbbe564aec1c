// Reading order: driver, statements, connection, errors, provisioning, executor, executors, from-url.
export { type MysqlDriverOptions, mysqlDriver } from "./driver.ts";
export type { MysqlExecutor, MysqlLease, MysqlResult } from "./executor.ts";
export type { BunSqlAnswerLike, BunSqlLike, BunSqlReservedLike } from "./executors/bun.ts";
export type { AnyMysqlClientLike } from "./executors/executor-of.ts";
export type {
  AnyMariadbLike,
  MariadbCallbackPoolLike,
  MariadbConnectionLike,
  MariadbPoolConnectionLike,
  MariadbPoolLike,
  MariadbStatement,
} from "./executors/mariadb.ts";
export type {
  AnyMysqljsLike,
  MysqljsConnectionLike,
  MysqljsPoolConnectionLike,
  MysqljsPoolLike,
  MysqljsStatement,
} from "./executors/mysql.ts";
export type {
  MysqlCallbackClientLike,
  MysqlCallbackNodesLike,
  MysqlClientLike,
  MysqlConnectionLike,
  MysqlPoolConnectionLike,
  MysqlPoolLike,
  MysqlStatement,
} from "./executors/mysql2.ts";
export { fromUrl, type MysqlUrlOptions } from "./from-url.ts";
