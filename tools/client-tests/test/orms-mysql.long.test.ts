import { MikroORM } from "@mikro-orm/mysql";
import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { type MysqlDriverOptions, mysqlDriver } from "@sessions/driver-mysql";
import { withService } from "@sessions/driver-tests";
import { drizzle } from "drizzle-orm/mysql2";
import knex from "knex";
import { Kysely, MysqlDialect } from "kysely";
import mysql2 from "mysql2";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { afterAll, describe, test } from "vitest";

await withService("mysql", async (mysql) => {
  const line = await startProxy(mysql.url);
  const closing: (() => unknown)[] = [];
  const closes = <T>(orm: T, close: (orm: T) => unknown): T => {
    closing.push(() => close(orm));
    return orm;
  };
  afterAll(async () => {
    await Promise.allSettled(closing.map(async (close) => close()));
    await line.close();
  });

  const kyselyPool = mysql2.createPool({ uri: line.url, connectTimeout: 1000 });
  const pool = mysql2.createPool(line.url);
  const dataSource = new DataSource({ type: "mysql", url: line.url, driver: mysql2, logging: false });
  await dataSource.initialize();

  const target = (name: string, client: MysqlDriverOptions["client"]) => ({
    name,
    open: (namespace: string, about?: { outage: boolean }) =>
      mysqlDriver({ client, table: namespace, timeout: about?.outage ? 1000 : 8000 }),
  });
  const orms = {
    knex: closes(knex({ client: "mysql2", connection: line.url }), (it) => it.destroy()),
    Kysely: closes(new Kysely({ dialect: new MysqlDialect({ pool: kyselyPool }) }), (it) => it.destroy()),
    Sequelize: closes(
      new Sequelize(line.url, { dialect: "mysql", dialectModule: mysql2, logging: false }),
      (it) => it.close(),
    ),
  };
  describe.each(Object.entries(orms))("mysql: %s", (name, client) => {
    const outage = { cut: line.cut, restore: line.restore, drop: line.drop };
    testDriver({ test, target: { ...target(name, client), outage } });
  });

  // These hand out what has passed the kit with outages: a pool of mysql2, and knex.
  const handing = {
    Drizzle: closes(drizzle(pool), () => pool.end()),
    TypeORM: closes(dataSource, (it) => it.destroy()),
    MikroORM: closes(
      await MikroORM.init({ clientUrl: line.url, entities: [], discovery: { warnWhenNoEntities: false } }),
      (it) => it.close(),
    ),
  };
  describe.each(Object.entries(handing))("mysql: %s", (name, client) => {
    testDriver({ test, target: target(name, client) });
  });
});
