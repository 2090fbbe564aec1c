import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { postgresDriver } from "@sessions/driver-postgres";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { newId } from "@sessions/driver-tests/records";
import { MikroORM } from "@mikro-orm/postgresql";
import { drizzle } from "drizzle-orm/node-postgres";
import knex from "knex";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { afterAll, describe, onTestFinished, test } from "vitest";
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
  const dataSource = new DataSource({ type: "postgres", url: line.url, driver: pg, logging: false, poolErrorHandler() {} });
  await dataSource.initialize();
  const orms = {
    knex: closes(knex({ client: "pg", connection: line.url }), (it) => it.destroy()),
    Kysely: closes(new Kysely({ dialect: new PostgresDialect({ pool: kyselyPool }) }), (it) => it.destroy()),
    Drizzle: closes(drizzle(pool()), (it) => it.$client.end()),
    Prisma: closes(prismaPostgres({ connectionString: line.url, connectionTimeoutMillis: 1000 }), (it) => it.$disconnect()),
    TypeORM: closes(dataSource, (it) => it.destroy()),
    Sequelize: closes(new Sequelize(line.url, { dialect: "postgres", dialectModule: pg, logging: false }), (it) => it.close()),
    MikroORM: closes(
      await MikroORM.init({ clientUrl: line.url, entities: [], discovery: { warnWhenNoEntities: false } }),
      (it) => it.close(),
    ),
  };

  const only = process.env["ONLY"];
  describe.each(Object.entries(orms).filter(([n]) => !only || only.split(",").includes(n)))("postgres: %s", (name, client) => {
    testBrokenLine(async () => {
      const driver = postgresDriver({ client, table: `line_${newId().slice(0, 12)}`, timeout: 500 });
      await driver.setup();
      onTestFinished(() => driver.teardown());
      return driver;
    }, line);
    testDriver({
      test,
      target: {
        name,
        open: (namespace) => postgresDriver({ client, table: namespace, timeout: 1000 }),
        outage: { cut: line.cut, restore: line.restore, drop: line.drop },
      },
    });
  });
});
