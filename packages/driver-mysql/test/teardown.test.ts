import { type ObjectCase, testObjects, withService } from "@sessions/driver-tests";
import type { RowDataPacket } from "mysql2/promise";
import { expect, test } from "vitest";
import { mysqlDriver } from "../src/index.ts";
import { begin, newTable, openPool } from "./support.ts";

const OURS = "id VARBINARY(255), principal VARBINARY(255), version BIGINT, expires_at BIGINT, fields JSON";

await withService("mysql", (service) => {
  /** What has the table's name, once these statements ran, behind `setup()` if it is to be the driver's own. */
  function objectCase(what: string, foreign: boolean, sql: (table: string) => string[]): ObjectCase {
    const table = newTable();
    /** It, and its indexes. */
    const look = async () => {
      const client = openPool({ uri: service.url });
      const [tables] = await client.query<RowDataPacket[]>("SHOW TABLES LIKE ?", [table]);
      const [indexes] = await client.query<RowDataPacket[]>(
        "SELECT index_name i, column_name c FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? ORDER BY 1, 2",
        [table],
      );
      return JSON.stringify([tables, indexes]);
    };
    let before = "";
    return {
      what,
      foreign,
      async make() {
        const client = openPool({ uri: service.url });
        const driver = mysqlDriver({ client, table });
        if (!foreign) {
          await driver.setup();
          await begin(driver);
        }
        for (const statement of sql(table)) await client.query(statement);
        before = await look();
        return driver;
      },
      isThere: async () => (await look()) === before,
    };
  }

  testObjects(test, [
    objectCase("a table of express-mysql-session", true, (t) => [
      `CREATE TABLE ${t} (session_id VARCHAR(128) PRIMARY KEY, expires INT UNSIGNED NOT NULL, data MEDIUMTEXT)`,
    ]),
    objectCase("a table of Laravel", true, (t) => [
      `CREATE TABLE ${t} (id VARCHAR(255) PRIMARY KEY, user_id BIGINT, ip_address VARCHAR(45), user_agent TEXT, payload LONGTEXT, last_activity INT)`,
    ]),
    objectCase("a table with an id and an expiry", true, (t) => [
      `CREATE TABLE ${t} (id VARBINARY(255) PRIMARY KEY, expires_at BIGINT)`,
    ]),
    objectCase("a view", true, (t) => [
      `CREATE TABLE v${t} (${OURS})`,
      `CREATE VIEW ${t} AS SELECT * FROM v${t}`,
    ]),
    objectCase("a table without a column", false, (t) => [`ALTER TABLE ${t} DROP COLUMN fields`]),
    objectCase("a table without an index", false, (t) => [`ALTER TABLE ${t} DROP INDEX by_expiry`]),
    objectCase("a table with a column of another type", false, (t) => [
      `ALTER TABLE ${t} MODIFY version TEXT`,
    ]),
  ]);

  test("teardown() of a missing table succeeds", async () => {
    await mysqlDriver({ client: openPool({ uri: service.url }), table: newTable() }).teardown();
  });

  test("a call without a table names both ways to make it", async () => {
    const driver = mysqlDriver({ client: openPool({ uri: service.url }), table: newTable() });
    await expect(driver.load("x")).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining("call sessions.setup(), or driver.setup() where there is no manager"),
    });
  });
});
