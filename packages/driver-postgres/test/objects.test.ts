import {
  type ObjectCase,
  testFirstUse,
  testLostTable,
  testObjects,
  withService,
} from "@sessions/driver-tests";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { begin, newTable, openPool } from "./support.ts";

await withService("postgres", (postgres) => {
  /** `sql` makes the object that the driver finds, or damages its own table. `$` is the name. */
  function objectCase(what: string, foreign: boolean, sql: string): ObjectCase {
    let pool: pg.Pool;
    let table: string;
    let before: unknown;
    const described = async () =>
      (
        await pool.query(
          `SELECT c.relname, c.relkind, i.indexrelid, array(SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)
           FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid WHERE c.oid = to_regclass($1) ORDER BY i.indexrelid`,
          [table],
        )
      ).rows;
    return {
      what,
      foreign,
      async make() {
        pool = openPool(postgres.url);
        table = newTable();
        const driver = postgresDriver({ client: pool, table });
        if (!foreign) {
          await driver.setup();
          await begin(driver);
        }
        onTestFinished(async () => {
          await openPool(postgres.url).query(`DROP SCHEMA IF EXISTS ${table}_rest CASCADE`);
        });
        await pool.query(`CREATE SCHEMA ${table}_rest`);
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
      "the table of connect-pg-simple",
      true,
      "CREATE TABLE $ (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)",
    ),
    objectCase(
      "the table of Laravel",
      true,
      "CREATE TABLE $ (id varchar PRIMARY KEY, user_id bigint, ip_address varchar, user_agent text, payload text, last_activity int)",
    ),
    objectCase(
      "the table of Rails",
      true,
      "CREATE TABLE $ (id bigserial PRIMARY KEY, session_id varchar NOT NULL, data text, created_at timestamp, updated_at timestamp)",
    ),
    objectCase(
      "the table of Django",
      true,
      "CREATE TABLE $ (session_key varchar(40) PRIMARY KEY, session_data text, expire_date timestamptz)",
    ),
    objectCase(
      "a table with an id, a version and an expiry",
      true,
      'CREATE TABLE $ (id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, expires_at bigint NOT NULL, data text)',
    ),
    objectCase("a table without columns", true, "CREATE TABLE $ ()"),
    objectCase(
      "a partitioned table",
      true,
      "CREATE TABLE $ (sid text, expire timestamp) PARTITION BY RANGE (expire); CREATE TABLE $_rest.p PARTITION OF $ DEFAULT",
    ),
    objectCase("a sequence", true, "CREATE SEQUENCE $"),
    ...["VIEW", "MATERIALIZED VIEW"].map((kind) =>
      objectCase(
        `a ${kind.toLowerCase()} with the driver's columns`,
        true,
        `CREATE ${kind} $ AS SELECT ''::text COLLATE "C" AS id, 1::bigint AS version, 1::bigint AS expires_at, ''::text AS principal, '{}'::jsonb AS fields`,
      ),
    ),
    objectCase("its table without a column", false, "ALTER TABLE $ DROP COLUMN fields"),
    objectCase(
      "its table without its primary key and indexes",
      false,
      "ALTER TABLE $ DROP CONSTRAINT $_pkey; DROP INDEX $_expires_at; DROP INDEX $_principal",
    ),
    objectCase(
      "its table with other types and collations",
      false,
      `ALTER TABLE $ ALTER principal TYPE varchar COLLATE "POSIX", ALTER fields TYPE json, ALTER version TYPE int`,
    ),
    objectCase("its table with a column more", false, "ALTER TABLE $ ADD COLUMN tenant int"),
  ]);

  testLostTable(test, async () => {
    const pool = openPool(postgres.url, { max: 2 });
    const table = newTable();
    const driver = postgresDriver({ client: pool, table });
    onTestFinished(() => driver.teardown());
    return { driver, drop: () => pool.query(`DROP TABLE ${table}`) };
  });

  testFirstUse(test, "a missing index", async () => {
    const pool = openPool(postgres.url);
    const table = newTable();
    const driver = postgresDriver({ client: pool, table });
    onTestFinished(() => driver.teardown());
    return { driver, drop: () => pool.query(`DROP INDEX ${table}_expires_at`) };
  });

  test("setup() refuses a table that lacks a column, and adds no index to it", async () => {
    const pool = openPool(postgres.url);
    const table = newTable();
    const driver = postgresDriver({ client: pool, table });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    await pool.query(`ALTER TABLE ${table} DROP COLUMN principal; DROP INDEX ${table}_expires_at`);
    await expect(driver.setup()).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining("lacks a column"),
    });
    const { rows } = await pool.query("SELECT indexname FROM pg_indexes WHERE tablename = $1", [table]);
    expect(rows).toEqual([{ indexname: `${table}_pkey` }]);
  });

  test("setup() takes no lock and needs no permission if nothing is missing", async () => {
    const pool = openPool(postgres.url);
    const table = newTable();
    const user = newTable();
    const driver = postgresDriver({ client: pool, table });
    await driver.setup();
    await pool.query(
      `CREATE ROLE ${user} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${user}; REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
    );
    onTestFinished(async () => {
      await openPool(postgres.url).query(`DROP TABLE ${table}; DROP OWNED BY ${user}; DROP ROLE ${user}`);
    });
    // No lock is compatible with this one.
    const other = await pool.connect();
    await other.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    const client = openPool(postgres.url.replace("postgres@", `${user}@`));
    await postgresDriver({ client, table, timeout: "60s" }).setup();
    await other.query("ROLLBACK");
    other.release();
    await expect(postgresDriver({ client, table: newTable() }).setup()).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining("the user may not make"),
    });
  });

  test("a missing schema is SessionSetupError that says to create it", async () => {
    const driver = postgresDriver({ client: openPool(postgres.url), table: `${newTable()}.sessions` });
    await expect(driver.setup()).rejects.toMatchObject({
      code: "ERR_SESSION_SETUP",
      message: expect.stringContaining("CREATE SCHEMA"),
    });
    await expect(begin(driver)).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
    await driver.teardown();
  });

  describe("an unconnected or closed client makes every call reject in time", () => {
    const never = new pg.Client(postgres.url);
    const closed = async () => {
      const client = new pg.Client(postgres.url);
      await client.connect();
      await client.end();
      return client;
    };
    const closedPool = async () => {
      const pool = new pg.Pool({ connectionString: postgres.url });
      await pool.end();
      return pool;
    };
    test.each<[string, () => Promise<pg.Client | pg.Pool>, RegExp]>([
      ["a client that was never connected", async () => never, /Await client\.connect\(\)/],
      ["a closed client", closed, /Keep it open/],
      ["a closed pool", closedPool, /Keep it open/],
    ])("%s", async (_, open, message) => {
      const driver = postgresDriver({ client: await open(), timeout: 100 });
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
    });
  });
});
