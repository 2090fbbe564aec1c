import { type ObjectCase, testObjects, withService } from "@sessions/driver-tests";
import { test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { begin, newTable, openPool } from "./support.ts";

const OURS = "id text, principal text, version bigint, expires_at bigint, fields jsonb";

await withService("postgres", (postgres) => {
  /** What has the table's name, once this statement ran, behind `setup()` if it is to be the driver's own. */
  function objectCase(what: string, foreign: boolean, sql: (table: string) => string): ObjectCase {
    const table = newTable();
    /** It, and all that was made for it. */
    const names = async () => {
      const { rows } = await openPool(postgres.url).query(
        "SELECT relname FROM pg_class WHERE relname LIKE $1 ORDER BY 1",
        [`${table}%`],
      );
      return rows.map(({ relname }) => String(relname));
    };
    let before = "";
    return {
      what,
      foreign,
      async make() {
        const client = openPool(postgres.url);
        const driver = postgresDriver({ client, table });
        if (!foreign) {
          await driver.setup();
          await begin(driver);
        }
        await client.query(sql(table));
        before = `${await names()}`;
        return driver;
      },
      async isThere() {
        const now = await names();
        return now.includes(table) && `${now}` === before;
      },
    };
  }

  testObjects(test, [
    objectCase(
      "a table of connect-pg-simple",
      true,
      (t) => `CREATE TABLE ${t} (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp NOT NULL)`,
    ),
    objectCase(
      "a table of Laravel",
      true,
      (t) =>
        `CREATE TABLE ${t} (id varchar PRIMARY KEY, user_id bigint, ip_address varchar, user_agent text, payload text, last_activity int)`,
    ),
    objectCase(
      "a table with an id and an expiry",
      true,
      (t) => `CREATE TABLE ${t} (id text PRIMARY KEY, principal text, expires_at bigint)`,
    ),
    objectCase(
      "a view",
      true,
      (t) => `CREATE TABLE ${t}_base (${OURS}); CREATE VIEW ${t} AS SELECT * FROM ${t}_base`,
    ),
    objectCase("a sequence", true, (t) => `CREATE SEQUENCE ${t}`),
    objectCase("a table without a column", false, (t) => `ALTER TABLE ${t} DROP COLUMN fields`),
    objectCase("a table without an index", false, (t) => `DROP INDEX ${t}_expires_at`),
    objectCase(
      "a table with a column of another type",
      false,
      (t) => `ALTER TABLE ${t} ALTER version TYPE text`,
    ),
  ]);

  test("teardown() of a missing table succeeds", async () => {
    await postgresDriver({ client: openPool(postgres.url), table: newTable() }).teardown();
  });
});
