import { readFileSync } from "node:fs";
import { withService } from "@sessions/driver-tests";
import type { Pool, RowDataPacket } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { mysqlDriver } from "../src/index.ts";
import { begin, isNamed, newId, newTable, openDriver, openPool, ownServer } from "./support.ts";

/** The server's definition of a table, without its name. */
async function definitionOf(client: Pool, table: string): Promise<string> {
  const [rows] = await client.query<RowDataPacket[]>(`SHOW CREATE TABLE ${table}`);
  return String(rows[0]?.["Create Table"]).replaceAll(table, "sessions");
}

await withService("mysql", async (service) => {
  const open = () => openDriver({ uri: service.url });

  test("the definition in the README equals that of setup(), and check() finds nothing", async () => {
    const { client, table } = await open();
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const sql = /```sql\n(CREATE TABLE[^;]+);\n```/.exec(readme)?.[1] ?? "";
    const own = newTable();
    await client.query(sql.replace("`sessions`", own));
    const driver = mysqlDriver({ client, table: own });
    onTestFinished(() => driver.teardown());
    expect(await driver.check()).toEqual([]);
    expect(await definitionOf(client, own)).toBe(await definitionOf(client, table));
  });

  describe("check() names each problem, and nothing else", () => {
    test.each([
      ["DROP TABLE ?", "The table ? is missing: run setup()"],
      [
        "ALTER TABLE ? DROP INDEX by_expiry",
        "The index on (expires_at) of ? is missing, and sweep() reads the whole table: run setup()",
      ],
      ["ALTER TABLE ? DROP INDEX by_principal", "The index on (principal, id) of ? is missing"],
      ["ALTER TABLE ? MODIFY id VARCHAR(255) NOT NULL", "The column id of ? is varchar(255)"],
      [
        "ALTER TABLE ? MODIFY principal VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL",
        "The column principal of ? is varchar(255) utf8mb4_bin: make it VARBINARY(255) NULL",
      ],
      ["ALTER TABLE ? MODIFY principal VARBINARY(255) NOT NULL", "The column principal of ? refuses NULL"],
      ["ALTER TABLE ? MODIFY expires_at INT NOT NULL", "The column expires_at of ? is int"],
      [
        "ALTER TABLE ? MODIFY version BIGINT NULL",
        "The column version of ? takes NULL: make it BIGINT NOT NULL",
      ],
      [
        "ALTER TABLE ? MODIFY fields LONGTEXT CHARACTER SET latin1 NOT NULL",
        "The column fields of ? is longtext latin1",
      ],
      [
        "ALTER TABLE ? MODIFY fields TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL",
        "The column fields of ? is text",
      ],
      ["ALTER TABLE ? DROP COLUMN fields", "The column fields of ? is missing: make it JSON NOT NULL"],
      ["ALTER TABLE ? DROP PRIMARY KEY", "The primary key of ? is not (id)"],
      ["ALTER TABLE ? DROP PRIMARY KEY, ADD INDEX only (id)", "The primary key of ? is not (id)"],
      ["ALTER TABLE ? ENGINE=MyISAM", "The engine of ? is MyISAM: ALTER TABLE ? ENGINE=InnoDB"],
    ])("%s", async (statement, message) => {
      const { client, table, driver } = await open();
      await client.query(statement.replaceAll("?", table));
      expect(await driver.check()).toEqual([expect.stringContaining(message.replaceAll("?", table))]);
    });

    test("the isolation level and autocommit of the connections", async () => {
      const { table } = await open();
      for (const [statement, finding] of [
        ["SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "READ-UNCOMMITTED"],
        ["SET SESSION autocommit = 0", "autocommit is off"],
      ] as const) {
        const client = openPool({ uri: service.url, connectionLimit: 1 });
        await client.query(statement);
        expect(await mysqlDriver({ client, table }).check()).toEqual([expect.stringContaining(finding)]);
      }
    });

    test.each(["SELECT", "INSERT", "UPDATE", "DELETE"])(
      "a permission that is missing: %s",
      async (permission) => {
        const { client, table } = await open();
        const user = newId();
        await client.query("CREATE USER ? IDENTIFIED BY 'p'", [user]);
        onTestFinished(async () => {
          await client.query("DROP USER ?", [user]);
        });
        await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ?`, [user]);
        const uri = service.url.replace(/\/\/[^@]*@/, `//${user}:p@`);
        const driver = mysqlDriver({ client: openPool({ uri }), table });
        expect(await driver.check()).toEqual([]);
        await driver.setup();
        await client.query(`REVOKE ${permission} ON ${table} FROM ?`, [user]);
        expect(await driver.check()).toContain(
          `The user has no permission: GRANT ${permission} ON ${table} to it`,
        );
      },
    );
  });

  test.each(["by_expiry", "by_principal"])(
    "setup makes an index that is missing, and loses nothing: %s",
    async (index) => {
      const { client, table, driver } = await open();
      const id = await begin(driver);
      await client.query(`ALTER TABLE ${table} DROP INDEX ${index}`);
      const others = [1, 2, 3].map(() => mysqlDriver({ client, table }));
      await Promise.all([driver, ...others].map((each) => each.setup()));
      expect(await driver.check()).toEqual([]);
      expect((await driver.load(id))?.version).toBe(1);
    },
  );

  test.skipIf(isNamed(service))("the server's own character set plays no part", async () => {
    const { url } = await ownServer("--character-set-server=latin1", "--collation-server=latin1_swedish_ci");
    const { driver } = await openDriver({ uri: url });
    expect(await driver.check()).toEqual([]);
    const id = await begin(driver, { "a/x": "😀" });
    expect((await driver.load(id))?.fields.get("a/x")).toBe("😀");
  });
});
