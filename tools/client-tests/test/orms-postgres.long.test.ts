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
import { afterAll, describe, expect, test, vi } from "vitest";
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

  // These hand out what passes the whole kit with outages, here or in the driver's own tests: knex, and a pool of pg.
  // So the rules of each method are enough.
  const some = Object.assign(
    (title: string, body: () => Promise<void>) => {
      if (/^R([1-7]|12)\./.test(title)) test(title, body);
    },
    { skip() {} },
  );
  const drizzlePool = pool();
  const handing = {
    Drizzle: closes(drizzle(drizzlePool), () => drizzlePool.end()),
    TypeORM: closes(dataSource, (it) => it.destroy()),
    MikroORM: closes(
      await MikroORM.init({ clientUrl: line.url, entities: [], discovery: { warnWhenNoEntities: false } }),
      (it) => it.close(),
    ),
  };
  const pools = [
    [handing.Drizzle, drizzlePool],
    [handing.TypeORM, Object(dataSource.driver).master],
  ] as const;
  test("Drizzle and TypeORM: the driver goes on with their own pool", async () => {
    for (const [client, own] of pools) {
      const connect = vi.spyOn(own, "connect");
      await postgresDriver({ client }).check();
      expect(connect).toHaveBeenCalled();
      connect.mockRestore();
    }
  });
  describe.each(Object.entries(handing))("postgres: %s", (name, client) => {
    testDriver({ test: some, target: target(name, client) });
  });
});
