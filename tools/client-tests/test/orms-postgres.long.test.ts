import { MikroORM } from "@mikro-orm/postgresql";
import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { type PostgresDriverOptions, postgresDriver } from "@sessions/driver-postgres";
import { withService } from "@sessions/driver-tests";
import { drizzle } from "drizzle-orm/node-postgres";
import knex from "knex";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { afterAll, describe, test } from "vitest";
import { prismaPostgres } from "./prisma.ts";

await withService("postgres", async (postgres) => {
  const line = await startProxy(postgres.url);
  const closing: (() => unknown)[] = [];
  const closes = <T>(orm: T, close: (orm: T) => unknown): T => {
    closing.push(() => close(orm));
    return orm;
  };
  afterAll(async () => {
    await Promise.allSettled(closing.map(async (close) => close()));
    await line.close();
  });

  const pool = () => {
    const made = new pg.Pool({ connectionString: line.url, connectionTimeoutMillis: 1000 });
    made.on("error", () => {});
    return made;
  };
  // Kysely does not listen to a connection that it uses: without a listener, a broken one would end the process.
  const kyselyPool = pool();
  kyselyPool.on("connect", (client) => client.on("error", () => {}));
  const dataSource = new DataSource({
    type: "postgres",
    url: line.url,
    driver: pg,
    logging: false,
    poolErrorHandler() {},
  });
  await dataSource.initialize();
  const orms = {
    knex: closes(knex({ client: "pg", connection: line.url }), (it) => it.destroy()),
    Kysely: closes(new Kysely({ dialect: new PostgresDialect({ pool: kyselyPool }) }), (it) => it.destroy()),
    Prisma: closes(prismaPostgres({ connectionString: line.url, connectionTimeoutMillis: 8000 }), (it) =>
      it.$disconnect(),
    ),
    Sequelize: closes(
      new Sequelize(line.url, { dialect: "postgres", dialectModule: pg, logging: false }),
      (it) => it.close(),
    ),
  };

  const target = (name: string, client: PostgresDriverOptions["client"]) => ({
    name,
    open: (namespace: string, about?: { outage: boolean }) =>
      postgresDriver({ client, table: namespace, timeout: about?.outage ? 1000 : 8000 }),
  });
  describe.each(Object.entries(orms))("postgres: %s", (name, client) => {
    const outage = { cut: line.cut, restore: line.restore, drop: line.drop };
    testDriver({ test, target: { ...target(name, client), outage } });
  });

  // These hand out what has passed the kit with outages: a pool of pg, and knex.
  const handing = {
    Drizzle: closes(drizzle(pool()), (it) => it.$client.end()),
    TypeORM: closes(dataSource, (it) => it.destroy()),
    MikroORM: closes(
      await MikroORM.init({ clientUrl: line.url, entities: [], discovery: { warnWhenNoEntities: false } }),
      (it) => it.close(),
    ),
  };
  describe.each(Object.entries(handing))("postgres: %s", (name, client) => {
    testDriver({ test, target: target(name, client) });
  });
});
