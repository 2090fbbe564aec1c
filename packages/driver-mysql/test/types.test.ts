import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import type * as mariadb from "mariadb";
import type * as mariadbCallbacks from "mariadb/callback";
import type * as mysql from "mysql";
import type * as callbacks from "mysql2";
import type * as promises from "mysql2/promise";
import { expectTypeOf, test } from "vitest";
import type {
  AnyMysqlClientLike,
  fromUrl,
  MysqlClientLike,
  MysqlExecutor,
  mysqlDriver,
} from "../src/index.ts";

test("a whole cluster does not fit, and its nodes do", () => {
  expectTypeOf<promises.PoolCluster>().not.toExtend<AnyMysqlClientLike>();
  expectTypeOf<callbacks.PoolCluster>().not.toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadb.PoolCluster>().not.toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadbCallbacks.PoolCluster>().not.toExtend<AnyMysqlClientLike>();
  expectTypeOf<mysql.PoolCluster>().not.toExtend<AnyMysqlClientLike>();
  expectTypeOf<promises.PoolNamespace>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<callbacks.PoolNamespace>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadb.FilteredPoolCluster>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadbCallbacks.FilteredPoolCluster>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<ReturnType<mysql.PoolCluster["of"]>>().toExtend<AnyMysqlClientLike>();
});

test("the clients of mysql2 fit, of both flavours", () => {
  expectTypeOf<promises.Pool>().toExtend<MysqlClientLike>();
  expectTypeOf<promises.Connection>().toExtend<MysqlClientLike>();
  expectTypeOf<promises.PoolConnection>().toExtend<MysqlClientLike>();
  expectTypeOf<callbacks.Pool>().toExtend<MysqlClientLike>();
  expectTypeOf<callbacks.Connection>().toExtend<MysqlClientLike>();
  expectTypeOf<callbacks.PoolConnection>().toExtend<MysqlClientLike>();
});

test("the clients of mariadb and mysql fit, and an executor", () => {
  expectTypeOf<mariadb.Pool>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadb.Connection>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadb.PoolConnection>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadbCallbacks.Pool>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mariadbCallbacks.Connection>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mysql.Pool>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<mysql.Connection>().toExtend<AnyMysqlClientLike>();
  expectTypeOf<MysqlExecutor>().toExtend<AnyMysqlClientLike>();
});

test("the types refuse values that are no client", () => {
  expectTypeOf<object>().not.toExtend<AnyMysqlClientLike>();
  expectTypeOf<{ execute(sql: string): Promise<unknown> }>().not.toExtend<AnyMysqlClientLike>();
});

test("the drivers list and provision; the one of fromUrl also closes", () => {
  expectTypeOf<ReturnType<typeof mysqlDriver>>().toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf<Awaited<ReturnType<typeof fromUrl>>>().toEqualTypeOf<
    ListingDriver & ProvisionedDriver & ClosableDriver
  >();
});
