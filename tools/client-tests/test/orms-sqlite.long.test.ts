import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MikroORM } from "@mikro-orm/better-sqlite";
import { testDriver } from "@sessions/conformance";
import { sqliteDriver } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import knex from "knex";
import { Kysely, SqliteDialect } from "kysely";
import { DataSource } from "typeorm";
import { afterAll, describe, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sessions-orms-"));
const closing: (() => unknown)[] = [];
const closes = <T>(orm: T, close: (orm: T) => unknown): T => {
  closing.push(() => close(orm));
  return orm;
};
afterAll(async () => {
  await Promise.allSettled(closing.map(async (close) => close()));
  rmSync(folder, { recursive: true });
});

const file = (name: string): string => join(folder, `${name}.db`);
const dataSource = new DataSource({ type: "better-sqlite3", database: file("typeorm") });
await dataSource.initialize();
const handle = new Database(file("drizzle"));

const orms = {
  knex: closes(
    knex({ client: "better-sqlite3", connection: { filename: file("knex") }, useNullAsDefault: true }),
    (it) => it.destroy(),
  ),
  Kysely: closes(
    new Kysely({ dialect: new SqliteDialect({ database: new Database(file("kysely")) }) }),
    (it) => it.destroy(),
  ),
  Drizzle: closes(drizzle(handle), () => handle.close()),
  TypeORM: closes(dataSource, (it) => it.destroy()),
  MikroORM: closes(
    await MikroORM.init({
      dbName: file("mikro-orm"),
      entities: [],
      discovery: { warnWhenNoEntities: false },
    }),
    (it) => it.close(),
  ),
};

describe.each(Object.entries(orms))("sqlite: %s", (name, client) => {
  testDriver({
    test,
    target: { name, open: (namespace) => sqliteDriver({ client, table: namespace, timeout: 4000 }) },
  });
});
