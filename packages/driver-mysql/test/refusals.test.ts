import { inspect } from "node:util";
import { testRefusals, withService } from "@sessions/driver-tests";
import { expect, onTestFinished, test } from "vitest";
import { mysqlDriver } from "../src/index.ts";
import { begin, newTable, openPool } from "./support.ts";

await withService("mysql", async (service) => {
  const isMariadb = service.version.startsWith("MariaDB");

  async function driverWith(...statements: string[]) {
    const client = openPool({ uri: service.url, connectionLimit: 1 });
    const table = newTable();
    const driver = mysqlDriver({ client, table });
    await driver.setup();
    onTestFinished(async () => {
      await driver.teardown();
      await openPool({ uri: service.url }).query(`DROP TABLE ${table}_log`);
    });
    await client.query(`CREATE TABLE ${table}_log (said VARCHAR(128) PRIMARY KEY)`);
    for (const sql of statements) await client.query(sql.replaceAll("$T", table));
    return driver;
  }
  /** Before each write, and on rows with the field alone. */
  const trigger = (body: string) =>
    driverWith(
      ...["INSERT", "UPDATE"].map(
        (event) => `CREATE TRIGGER $T_${event} BEFORE ${event} ON $T FOR EACH ROW BEGIN
          DECLARE said VARCHAR(128) CHARACTER SET utf8mb4;
          IF JSON_CONTAINS_PATH(NEW.fields, 'one', '$."fa/refused"') THEN
            SET said = LEFT(CONCAT(JSON_UNQUOTE(JSON_EXTRACT(NEW.fields, '$."fa/refused"')), COALESCE(NEW.principal, ''), NEW.id), 128);
            ${body}
          END IF; END`,
      ),
    );
  const refused = `JSON_CONTAINS_PATH(fields, 'one', '$."fa/refused"')`;
  const hidden = { message: expect.stringContaining("Its message may hold the row, so it is left out") };

  testRefusals(test, [
    {
      what: "a CHECK",
      make: () => driverWith(`ALTER TABLE $T ADD CONSTRAINT no_x CHECK (NOT ${refused})`),
      tells: { errno: isMariadb ? 4025 : 3819, message: expect.stringMatching(/no_x/) },
    },
    {
      what: "a trigger that raises with the row",
      make: () => trigger("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = said;"),
      tells: { ...hidden, errno: 1644, sqlState: "45000" },
    },
    {
      what: "a trigger that raises under the number of another error",
      make: () => trigger("SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = said, MYSQL_ERRNO = 1142;"),
      tells: { ...hidden, errno: 1142 },
    },
    {
      what: "a trigger that raises as if the table were missing, or the row too long",
      make: () => trigger("SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = said, MYSQL_ERRNO = 1406;"),
      tells: { ...hidden, errno: 1406 },
    },
    {
      what: "a trigger whose own statement fails",
      make: () => trigger("INSERT INTO $T_log VALUES (said), (said);"),
      tells: { ...hidden, code: "ER_DUP_ENTRY" },
    },
    {
      what: "a column that takes numbers",
      make: () =>
        driverWith(
          `ALTER TABLE $T ADD COLUMN n INT AS (CASE WHEN ${refused} THEN JSON_UNQUOTE(JSON_EXTRACT(fields, '$."fa/refused"')) ELSE '1' END) STORED`,
        ),
      tells: hidden,
    },
    {
      what: "a column that must not be NULL",
      make: () => trigger("SET NEW.version = NULL;"),
      tells: { code: "ER_BAD_NULL_ERROR", message: "Column 'version' cannot be null" },
    },
  ]);

  test("a row with malformed JSON is an error that shows none of it", async () => {
    const client = openPool({ uri: service.url });
    const table = newTable();
    const driver = mysqlDriver({ client, table });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    const id = await begin(driver);
    await client.query(`ALTER TABLE ${table} MODIFY fields LONGTEXT NOT NULL`);
    await client.query(`UPDATE ${table} SET fields = 'VALUE-OF-ALICE'`);
    for (const call of [() => driver.load(id), () => driver.list({ limit: 1 }, 0)]) {
      const error: unknown = await call().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ERR_SESSION_CODEC" });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("VALUE");
    }
  });
});
