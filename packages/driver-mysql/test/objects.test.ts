import { createServer } from "node:net";
import {
  type ObjectCase,
  testFirstUse,
  testLostTable,
  testObjects,
  withService,
} from "@sessions/driver-tests";
import { createConnection as createCallbackConnection } from "mysql2";
import { createConnection, createPool, type Pool } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { type MysqlClientLike, mysqlDriver } from "../src/index.ts";
import { begin, newId, newTable, openPool } from "./support.ts";

await withService("mysql", async (service) => {
  const isMariadb = service.version.startsWith("MariaDB");

  /** `sql` makes the object that the driver finds, or damages its own table. `$` is the name. */
  function objectCase(what: string, foreign: boolean, sql: string): ObjectCase {
    let pool: Pool;
    let table: string;
    let before: unknown;
    const described = async () => {
      const [rows] = await pool.query(
        `SELECT t.table_type AS kind, c.column_name AS name, s.index_name AS indexed FROM information_schema.tables t
         LEFT JOIN information_schema.columns c USING (table_schema, table_name)
         LEFT JOIN information_schema.statistics s USING (table_schema, table_name, column_name)
         WHERE t.table_schema = DATABASE() AND t.table_name = ? ORDER BY name, indexed`,
        [table],
      );
      return Array.isArray(rows) ? rows : [];
    };
    return {
      what,
      foreign,
      async make() {
        pool = openPool({ uri: service.url });
        table = newTable();
        const driver = mysqlDriver({ client: pool, table });
        if (!foreign) {
          await driver.setup();
          await begin(driver);
        }
        onTestFinished(async () => {
          const kind = /^CREATE (\w+)/.exec(sql)?.[1] ?? "TABLE";
          await openPool({ uri: service.url }).query(`DROP ${kind} IF EXISTS ${table}`);
        });
        await pool.query(sql.replaceAll("$", table));
        before = await described();
        return driver;
      },
      async isThere() {
        const now = await described();
        if (now.length > 0) expect(now).toEqual(before);
        return now.length > 0;
      },
    };
  }

  testObjects(test, [
    objectCase(
      "the table of express-mysql-session",
      true,
      "CREATE TABLE $ (session_id varchar(128) PRIMARY KEY, expires int unsigned NOT NULL, data mediumtext)",
    ),
    objectCase(
      "the table of connect-session-knex",
      true,
      "CREATE TABLE $ (sid varchar(255) PRIMARY KEY, sess json NOT NULL, expired datetime NOT NULL)",
    ),
    objectCase(
      "the table of Laravel",
      true,
      "CREATE TABLE $ (id varchar(255) PRIMARY KEY, user_id bigint, ip_address varchar(45), user_agent text, payload longtext, last_activity int)",
    ),
    objectCase(
      "the table of Rails",
      true,
      "CREATE TABLE $ (id bigint AUTO_INCREMENT PRIMARY KEY, session_id varchar(255) NOT NULL, data text, created_at datetime, updated_at datetime)",
    ),
    objectCase(
      "a table with an id, a version and an expiry",
      true,
      "CREATE TABLE $ (id varbinary(255) PRIMARY KEY, version bigint NOT NULL, expires_at bigint NOT NULL, data text)",
    ),
    objectCase(
      "a view with the driver's columns",
      true,
      "CREATE VIEW $ AS SELECT 'a' AS id, NULL AS principal, 1 AS version, 1 AS expires_at, '{}' AS fields",
    ),
    ...(isMariadb ? [objectCase("a sequence", true, "CREATE SEQUENCE $")] : []),
    objectCase("its table without a column", false, "ALTER TABLE $ DROP COLUMN version"),
    objectCase(
      "its table without its primary key and indexes",
      false,
      "ALTER TABLE $ DROP PRIMARY KEY, DROP INDEX by_expiry, DROP INDEX by_principal",
    ),
    objectCase(
      "its table with other types",
      false,
      "ALTER TABLE $ MODIFY id varchar(255), MODIFY principal varchar(255), MODIFY fields text, MODIFY expires_at varchar(20)",
    ),
    objectCase(
      "its table of another engine, with a column more",
      false,
      "ALTER TABLE $ ENGINE=MyISAM, ADD COLUMN tenant int",
    ),
  ]);

  test("a commit beside a trigger that inserts into a table with AUTO_INCREMENT is not taken for gone", async () => {
    const pool = openPool({ uri: service.url });
    const table = newTable();
    const driver = mysqlDriver({ client: pool, table });
    await driver.setup();
    const id = await begin(driver);
    await pool.query(`CREATE TABLE ${table}_log (n BIGINT AUTO_INCREMENT PRIMARY KEY)`);
    await pool.query(
      `CREATE TRIGGER ${table}_t AFTER UPDATE ON ${table} FOR EACH ROW INSERT INTO ${table}_log VALUES ()`,
    );
    const fields = new Map([["a/x", "1"]]);
    const outcome = driver.commit(id, { fields }, Date.now()).catch(({ code }) => code);
    // By the server.
    expect(["committed", "ERR_SESSION_SETUP"]).toContain(await outcome);
    expect(await driver.commit(newId(), { fields }, Date.now())).toBe("gone");
    await pool.query(`DROP TABLE ${table}_log`);
    await driver.teardown();
  });

  testLostTable(test, async () => {
    const client = openPool({ uri: service.url });
    const table = newTable();
    const driver = mysqlDriver({ client, table });
    onTestFinished(() => driver.teardown());
    return { driver, drop: () => client.query(`DROP TABLE ${table}`) };
  });

  testFirstUse(test, "a missing index", async () => {
    const client = openPool({ uri: service.url });
    const table = newTable();
    const driver = mysqlDriver({ client, table });
    onTestFinished(() => driver.teardown());
    return { driver, drop: () => client.query(`ALTER TABLE ${table} DROP INDEX by_expiry`) };
  });

  test("setup() refuses a table that lacks a column, and adds no index to it", async () => {
    const client = openPool({ uri: service.url });
    const table = newTable();
    const driver = mysqlDriver({ client, table });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    await client.query(`ALTER TABLE ${table} DROP COLUMN version, DROP INDEX by_expiry`);
    await expect(driver.setup()).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining("lacks a column"),
    });
    const [rows] = await client.query(`SHOW INDEX FROM ${table} WHERE Key_name = 'by_expiry'`);
    expect(rows).toEqual([]);
  });

  test("setup() waits for no lock if nothing is missing, and says so if the user may not make the table", async () => {
    const client = openPool({ uri: service.url });
    const table = newTable();
    const driver = mysqlDriver({ client, table });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    const other = await client.getConnection();
    await other.query(`LOCK TABLES ${table} WRITE`);
    await mysqlDriver({ client, table, timeout: "60s" }).setup();
    await other.query("UNLOCK TABLES");
    other.release();

    const user = newId();
    await client.query("CREATE USER ? IDENTIFIED BY 'p'", [user]);
    onTestFinished(async () => {
      await openPool({ uri: service.url }).query("DROP USER ?", [user]);
    });
    await client.query(`GRANT SELECT ON ${table} TO ?`, [user]);
    const uri = service.url.replace(/\/\/[^@]*@/, `//${user}:p@`);
    const reader = openPool({ uri });
    await mysqlDriver({ client: reader, table }).setup();
    await expect(mysqlDriver({ client: reader, table: newTable() }).setup()).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining("the user may not make"),
    });
  });

  describe("a client", () => {
    /** A server that accepts connections and never sends a byte. */
    async function silence(): Promise<string> {
      const server = createServer(() => {}).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      onTestFinished(() => void server.close());
      const address = server.address();
      return `mysql://root@127.0.0.1:${typeof address === "object" ? address?.port : 0}/none`;
    }
    const clients: Record<
      string,
      [() => Promise<MysqlClientLike & { destroy?(): void; end(): unknown }>, RegExp]
    > = {
      "that is a pool to an address that never answers": [
        async () => createPool(await silence()),
        /no answer within 100 ms \(is the server there, and the client connected\?\)/,
      ],
      "that is a connection to an address that never answers": [
        async () => createCallbackConnection(await silence()),
        /no answer within 100 ms \(is the server there, and the client connected\?\)/,
      ],
      "that is a closed pool": [
        async () => {
          const pool = createPool(service.url);
          await pool.end();
          return pool;
        },
        /the client is closed, or its connection was lost. Use a pool/,
      ],
      "that is a closed connection": [
        async () => {
          const connection = await createConnection(service.url);
          await connection.end();
          return connection;
        },
        /the client is closed, or its connection was lost. Use a pool/,
      ],
    };
    test.each(Object.entries(clients))("%s makes every call reject in time", async (_, [open, message]) => {
      const client = await open();
      if ("on" in client && typeof client.on === "function") client.on("error", () => {});
      const driver = mysqlDriver({ client, timeout: 100 });
      const now = Date.now();
      const calls = [
        () => driver.setup(),
        () => driver.check(),
        () => driver.teardown(),
        () => begin(driver),
        () => driver.load("x"),
        () => driver.commit("x", { fields: new Map() }, now),
        () => driver.destroy("x", now),
        () => driver.sweep({ after: 0, before: now, limit: 1 }),
        () => driver.list({ limit: 1 }, now),
      ];
      for (const outcome of await Promise.allSettled(calls.map((call) => call())))
        expect(outcome).toMatchObject({
          status: "rejected",
          reason: { code: "ERR_SESSION_UNAVAILABLE", message: expect.stringMatching(message) },
        });
      client.destroy?.();
    });
  });
});
