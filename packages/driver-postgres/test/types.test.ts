import type { PGlite } from "@electric-sql/pglite";
import type * as neon from "@neondatabase/serverless";
import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import type pg from "pg";
import type postgres from "postgres";
import { expect, expectTypeOf, test } from "vitest";
import {
  fromUrl,
  type NeonHttpLike,
  type PgClientLike,
  type PgliteLike,
  type PgPoolLike,
  type PostgresDriverOptions,
  type PostgresJsLike,
  postgresDriver,
} from "../src/index.ts";

test("the clients of the package pg fit", () => {
  expectTypeOf<pg.Pool>().toExtend<PgPoolLike>();
  expectTypeOf<pg.Client>().toExtend<PgClientLike>();
  expectTypeOf<pg.Pool>().toExtend<PostgresDriverOptions["client"]>();
  expectTypeOf<pg.Client>().toExtend<PostgresDriverOptions["client"]>();
});

test("the clients of other packages fit", () => {
  expectTypeOf<neon.Pool>().toExtend<PgPoolLike>();
  expectTypeOf<neon.Client>().toExtend<PgClientLike>();
  expectTypeOf<neon.NeonQueryFunction<false, false>>().toExtend<NeonHttpLike>();
  expectTypeOf<neon.NeonQueryFunction<true, true>>().toExtend<NeonHttpLike>();
  expectTypeOf<PGlite>().toExtend<PgliteLike>();
  expectTypeOf<postgres.Sql>().toExtend<PostgresJsLike>();
  expectTypeOf<postgres.Sql<{ bigint: bigint }>>().toExtend<PostgresJsLike>();
  expectTypeOf<postgres.TransactionSql>().not.toExtend<PostgresDriverOptions["client"]>();
});

test("the drivers list and provision; the one of fromUrl also closes", () => {
  expectTypeOf(postgresDriver).returns.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf(fromUrl).returns.resolves.toExtend<ListingDriver & ProvisionedDriver & ClosableDriver>();
});

test("wrong programs do not compile", () => {
  const client: PgClientLike = { query: async () => ({ rows: [], rowCount: 0 }) };
  // @ts-expect-error a client is needed
  const none: PostgresDriverOptions = {};
  // @ts-expect-error a duration has a unit
  const timeless: PostgresDriverOptions = { client, timeout: "2" };
  // @ts-expect-error no such option
  const prefix: PostgresDriverOptions = { client, prefix: "x" };
  expect([none, timeless, prefix]).toHaveLength(3);
});
