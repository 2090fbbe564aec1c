import { type MysqlDriverOptions, mysqlDriver } from "@sessions/driver-mysql";
import { testRefusals, withService } from "@sessions/driver-tests";
import { newId } from "@sessions/driver-tests/records";
import knex from "knex";
import { Kysely, MysqlDialect } from "kysely";
import * as mariadb from "mariadb";
import mysql from "mysql";
import mysql2 from "mysql2";
import { Sequelize } from "sequelize";
import { afterAll, describe, onTestFinished, test } from "vitest";

await withService("mysql", async (service) => {
  const { hostname: host, port, username: user, password, pathname } = new URL(service.url);
  const server = { host, port: Number(port), user, password, database: pathname.slice(1) };
  const closing: (() => unknown)[] = [];
  const closes = <T>(client: T, close: (client: T) => unknown): T => {
    closing.push(() => close(client));
    return client;
  };
  afterAll(() => Promise.allSettled(closing.map(async (close) => close())));

  const overKnex = (client: string) => closes(knex({ client, connection: server }), (it) => it.destroy());
  const overSequelize = (dialect: "mysql" | "mariadb", dialectModule: object) =>
    closes(new Sequelize({ ...server, username: user, dialect, dialectModule, logging: false }), (it) =>
      it.close(),
    );
  const direct = closes(mysql2.createPool(server), (it) => it.end());
  const clients: Record<string, MysqlDriverOptions["client"]> = {
    "a pool of mysql2": direct,
    "a connection of mysql2": closes(mysql2.createConnection(server), (it) => it.end()),
    "a pool of mariadb": closes(mariadb.createPool(server), (it) => it.end()),
    "a connection of mariadb": closes(await mariadb.createConnection(server), (it) => it.end()),
    "knex on mysql2": overKnex("mysql2"),
    "knex on mariadb": overKnex("mariadb"),
    "Sequelize on mysql2": overSequelize("mysql", mysql2),
    "Sequelize on mariadb": overSequelize("mariadb", mariadb),
    Kysely: new Kysely({ dialect: new MysqlDialect({ pool: direct }) }),
    // The package mysql cannot log in on a MySQL of today.
    ...(service.version.startsWith("MariaDB") && {
      "a pool of mysql": closes(mysql.createPool(server), (it) => it.end()),
      "knex on mysql": overKnex("mysql"),
    }),
  };

  describe.each(Object.entries(clients))("through %s", (_, client) => {
    async function driverWith(...statements: string[]) {
      const table = `t_${newId()}`;
      const driver = mysqlDriver({ client, table, timeout: 10_000 });
      await driver.setup();
      const run = (sql: string) => direct.promise().query(sql.replaceAll("$T", table));
      onTestFinished(async () => {
        await driver.teardown();
        await run("DROP TABLE IF EXISTS $T_log");
      });
      for (const sql of statements) await run(sql);
      return driver;
    }
    const said = `LEFT(CONCAT(JSON_UNQUOTE(JSON_EXTRACT(NEW.fields, '$."fa/refused"')), COALESCE(NEW.principal, ''), NEW.id), 128)`;
    const trigger = (body: string) =>
      driverWith(
        "CREATE TABLE $T_log (said VARCHAR(128) PRIMARY KEY)",
        ...["INSERT", "UPDATE"].map(
          (event) => `CREATE TRIGGER $T_${event} BEFORE ${event} ON $T FOR EACH ROW BEGIN
            DECLARE said VARCHAR(128) CHARACTER SET utf8mb4;
            IF JSON_CONTAINS_PATH(NEW.fields, 'one', '$."fa/refused"') THEN SET said = ${said}; ${body} END IF; END`,
        ),
      );

    testRefusals(test, [
      {
        what: "a trigger that raises with the row",
        make: () => trigger("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = said;"),
        tells: { errno: 1644 },
      },
      {
        what: "a trigger that raises under the number of another error",
        make: () => trigger("SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = said, MYSQL_ERRNO = 1142;"),
        tells: { errno: 1142 },
      },
      {
        what: "a trigger that writes a row twice",
        make: () => trigger("INSERT INTO $T_log VALUES (said), (said);"),
        tells: { errno: 1062 },
      },
      {
        what: "a CHECK",
        make: () =>
          driverWith(
            `ALTER TABLE $T ADD CONSTRAINT no_x CHECK (NOT JSON_CONTAINS_PATH(fields, 'one', '$."fa/refused"'))`,
          ),
      },
    ]);
  });
});
