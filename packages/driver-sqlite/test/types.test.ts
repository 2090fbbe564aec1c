import type { D1Database, SqlStorage } from "@cloudflare/workers-types";
import type { Client } from "@libsql/client";
import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import type Database from "better-sqlite3";
import { expect, expectTypeOf, test } from "vitest";
import {
  type AnySqliteClientLike,
  type D1DatabaseLike,
  type DurableObjectSqlLike,
  type fromUrl,
  type LibsqlClientLike,
  type SqliteClientLike,
  type SqliteDriverOptions,
  sqliteDriver,
} from "../src/index.ts";

/** `DatabaseSync` as Node documents it: the types of Node 20, with which this is compiled, lack it. */
interface NodeDatabaseSync {
  close(): void;
  exec(sql: string): void;
  open(): void;
  prepare(sql: string): NodeStatementSync;
  readonly isOpen: boolean;
  readonly isTransaction: boolean;
}
type NodeInput = null | number | bigint | string | NodeJS.ArrayBufferView;
interface NodeStatementSync {
  all(...anonymousParameters: NodeInput[]): Record<string, NodeInput>[];
  get(...anonymousParameters: NodeInput[]): Record<string, NodeInput> | undefined;
  run(...anonymousParameters: NodeInput[]): { changes: number | bigint; lastInsertRowid: number | bigint };
}

test("every client fits", () => {
  expectTypeOf<Client>().toExtend<LibsqlClientLike>();
  expectTypeOf<D1Database>().toExtend<D1DatabaseLike>();
  expectTypeOf<SqlStorage>().toExtend<DurableObjectSqlLike>();
  expectTypeOf<Database.Database>().toExtend<SqliteClientLike>();
  expectTypeOf<NodeDatabaseSync>().toExtend<SqliteClientLike>();
  expectTypeOf<SqliteDriverOptions["client"]>().toEqualTypeOf<AnySqliteClientLike>();
});

test("the drivers list and provision; the one of fromUrl also closes", () => {
  expectTypeOf(sqliteDriver).returns.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf<typeof fromUrl>().returns.resolves.toExtend<
    ListingDriver & ProvisionedDriver & ClosableDriver
  >();
  expectTypeOf(sqliteDriver).returns.not.toExtend<ClosableDriver>();
});

test("wrong programs do not compile", () => {
  const client: SqliteClientLike = {
    prepare: () => ({ run: () => ({ changes: 0 }), all: () => [] }),
    exec() {},
  };
  // @ts-expect-error a client is needed
  const none: SqliteDriverOptions = {};
  // @ts-expect-error a duration has a unit
  const timeless: SqliteDriverOptions = { client, timeout: "2" };
  // @ts-expect-error no such option
  const prefix: SqliteDriverOptions = { client, prefix: "sessions" };
  expect([none, timeless, prefix]).toHaveLength(3);
});
