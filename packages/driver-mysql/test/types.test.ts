import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import type * as callbacks from "mysql2";
import type * as promises from "mysql2/promise";
import { expectTypeOf, test } from "vitest";
import type { fromUrl, MysqlClientLike, mysqlDriver } from "../src/index.ts";

test("the clients of mysql2 fit, of both flavours", () => {
  expectTypeOf<promises.Pool>().toExtend<MysqlClientLike>();
  expectTypeOf<promises.Connection>().toExtend<MysqlClientLike>();
  expectTypeOf<promises.PoolConnection>().toExtend<MysqlClientLike>();
  expectTypeOf<callbacks.Pool>().toExtend<MysqlClientLike>();
  expectTypeOf<callbacks.Connection>().toExtend<MysqlClientLike>();
  expectTypeOf<callbacks.PoolConnection>().toExtend<MysqlClientLike>();
});

test("the types refuse values that are no client", () => {
  expectTypeOf<object>().not.toExtend<MysqlClientLike>();
  expectTypeOf<{ execute(sql: string): Promise<unknown> }>().not.toExtend<MysqlClientLike>();
});

test("the drivers list and provision; the one of fromUrl also closes", () => {
  expectTypeOf<ReturnType<typeof mysqlDriver>>().toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf<Awaited<ReturnType<typeof fromUrl>>>().toEqualTypeOf<
    ListingDriver & ProvisionedDriver & ClosableDriver
  >();
});
