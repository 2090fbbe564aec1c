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
import { afterAll, describe, expect, test, vi } from "vitest";

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

  // These hand out what passes the whole kit with outages, here or in the driver's own tests: knex, and a pool of mysql2.
  // So the rules of each method are enough.
  const some = Object.assign(
    (title: string, body: () => Promise<void>) => {
      if (/^R([1-7]|12)\./.test(title)) test(title, body);
    },
    { skip() {} },
  );
  const handing = {
    Drizzle: closes(drizzle(pool), () => pool.end()),
    TypeORM: closes(dataSource, (it) => it.destroy()),
    MikroORM: closes(
      await MikroORM.init({ clientUrl: line.url, entities: [], discovery: { warnWhenNoEntities: false } }),
      (it) => it.close(),
    ),
  };
  const pools = [
    [handing.Drizzle, pool],
    [handing.TypeORM, Object(dataSource.driver).pool],
  ] as const;
  test("Drizzle and TypeORM: the driver goes on with their own pool", async () => {
    for (const [client, own] of pools) {
      const connect = vi.spyOn(own, "getConnection");
      await mysqlDriver({ client }).check();
      expect(connect).toHaveBeenCalled();
      connect.mockRestore();
    }
  });
  describe.each(Object.entries(handing))("mysql: %s", (name, client) => {
    testDriver({ test: some, target: target(name, client) });
  });
});
