import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { SessionConfigError } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import type pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { fromUrl, type PostgresDriverOptions, postgresDriver } from "../src/index.ts";
import { begin, newId, newTable, openPool, ownServer } from "./support.ts";

/** The server's description of a table: columns, indexes, persistence; without the table's own name. */
async function described(pool: pg.Pool, table: string): Promise<unknown> {
  const { rows: columns } = await pool.query(
    `SELECT attname, format_type(atttypid, atttypmod), attnotnull, attcollation::regcollation::text, attstorage
     FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
    [`"${table}"`],
  );
  const { rows: indexes } = await pool.query(
    "SELECT indexdef FROM pg_indexes WHERE tablename = $1 ORDER BY indexdef",
    [table],
  );
  const { rows } = await pool.query("SELECT relpersistence FROM pg_class WHERE oid = $1::regclass", [
    `"${table}"`,
  ]);
  return JSON.parse(JSON.stringify({ columns, indexes, rows }).replaceAll(table, "TABLE"));
}

await withService("postgres", (postgres) => {
  async function fresh(options: Partial<PostgresDriverOptions> = {}) {
    const pool = openPool(postgres.url);
    const table = newTable();
    const driver = postgresDriver({ client: pool, table, ...options });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    return { pool, table, driver };
  }

  test("the definition in the README equals that of setup()", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const sql = /```sql\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const { pool, table } = await fresh();
    const other = newTable();
    await pool.query(sql.replaceAll(/\bsessions(?=[_ ]|\b)/g, other));
    const byHand = postgresDriver({ client: pool, table: other });
    onTestFinished(() => byHand.teardown());
    expect(await described(pool, other)).toEqual(await described(pool, table));
    expect(await byHand.check()).toEqual([]);
    await begin(byHand);
  });

  describe("check() names", () => {
    test("a missing table, and calls to it are SessionSetupError", async () => {
      const driver = postgresDriver({ client: openPool(postgres.url), table: newTable() });
      expect(await driver.check()).toEqual([expect.stringMatching(/table t_\w+ is missing: run setup\(\)/)]);
      const change = { fields: new Map([["a/x", "1"]]) };
      for (const call of [
        () => driver.load(newId()),
        () => driver.commit(newId(), change, 0),
        () => driver.commit(newId(), { ...change, ifVersion: 1 }, 0),
        () => begin(driver),
        () => driver.sweep({ after: 0, before: 1, limit: 1 }),
        () => driver.list({ limit: 1 }, 0),
      ])
        await expect(call()).rejects.toMatchObject({
          code: "ERR_SESSION_SETUP",
          message: expect.stringContaining(
            "Call sessions.setup(), or driver.setup() if there is no manager.",
          ),
        });
    });

    test.each<[string, (table: string) => string, RegExp]>([
      [
        "a missing index on expires_at",
        (t) => `DROP INDEX ${t}_expires_at`,
        /index on \(expires_at\) of t_\w+ is missing/,
      ],
      [
        "a missing index on principal",
        (t) => `DROP INDEX ${t}_principal`,
        /index on \(principal\) of t_\w+ is missing/,
      ],
      [
        "a missing primary key",
        (t) => `ALTER TABLE ${t} DROP CONSTRAINT ${t}_pkey`,
        /primary key of t_\w+ is not \(id\)/,
      ],
      ["a missing column", (t) => `ALTER TABLE ${t} DROP COLUMN fields`, /column fields of t_\w+ is missing/],
      [
        "a column of another type",
        (t) => `ALTER TABLE ${t} ALTER expires_at TYPE text`,
        /expires_at of t_\w+ is text: make it bigint NOT NULL/,
      ],
      [
        "json instead of jsonb",
        (t) => `ALTER TABLE ${t} ALTER fields TYPE json`,
        /fields of t_\w+ is json: make it jsonb NOT NULL/,
      ],
      [
        "another collation",
        (t) => `ALTER TABLE ${t} ALTER principal TYPE text COLLATE "en_US"`,
        /principal of t_\w+ has the collation "en_US", and must have "C"/,
      ],
      [
        "a table that is not logged",
        (t) => `ALTER TABLE ${t} SET UNLOGGED`,
        /UNLOGGED \(a crash of the server empties it\)/,
      ],
    ])("%s", async (name, breakIt, sentence) => {
      const { pool, table, driver } = await fresh();
      if (name === "another collation")
        await pool.query(`CREATE COLLATION IF NOT EXISTS "en_US" (provider = icu, locale = 'en-US')`);
      await pool.query(breakIt(table));
      expect(await driver.check()).toEqual([expect.stringMatching(sentence)]);
    });

    test("a missing permission to write", async () => {
      const { pool, table } = await fresh();
      const user = newTable();
      await pool.query(`CREATE ROLE ${user} LOGIN`);
      onTestFinished(async () => {
        await openPool(postgres.url).query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
      });
      await pool.query(`GRANT SELECT ON ${table} TO ${user}`);
      const reader = openPool(postgres.url.replace("postgres@", `${user}@`));
      expect(await postgresDriver({ client: reader, table }).check()).toEqual(
        ["INSERT", "UPDATE", "DELETE"].map((privilege) =>
          expect.stringContaining(`The user has no permission: GRANT ${privilege} ON ${table} to it`),
        ),
      );
    });

    test("a server that takes no writes", async () => {
      const { pool } = await ownServer();
      await postgresDriver({ client: pool }).setup();
      await pool.query("ALTER SYSTEM SET default_transaction_read_only = on");
      await pool.query("SELECT pg_reload_conf()");
      const { options } = pool;
      const driver = postgresDriver({ client: openPool(String(options.connectionString)) });
      await expect.poll(() => driver.check()).toEqual([expect.stringMatching(/read-only/)]);
      await expect(begin(driver)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    });

    test("a database in another encoding than UTF-8", async () => {
      const { pool, url } = await ownServer();
      await pool.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
      const driver = postgresDriver({ client: openPool(url.replace(/\/postgres$/, "/latin")) });
      await driver.setup();
      expect(await driver.check()).toEqual([expect.stringMatching(/encoding is LATIN1, .* UTF8/)]);
    });
  });

  test("a second setup() waits for no VACUUM and makes no commit wait", async () => {
    const { pool, table, driver } = await fresh();
    const id = await begin(driver);
    const vacuum = await pool.connect();
    // The lock that VACUUM takes.
    await vacuum.query(`BEGIN; LOCK TABLE ${table} IN SHARE UPDATE EXCLUSIVE MODE`);
    try {
      await driver.setup();
      expect(await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, Date.now())).toBe("committed");
    } finally {
      await vacuum.query("ROLLBACK");
      vacuum.release();
    }
  });

  test("unlogged makes an UNLOGGED table, which check() accepts only with that option", async () => {
    const { driver, pool, table } = await fresh({ unlogged: true });
    expect(await driver.check()).toEqual([]);
    expect(await postgresDriver({ client: pool, table }).check()).toEqual([
      expect.stringMatching(/UNLOGGED/),
    ]);
  });

  test("a table in a schema, and names that differ only in case", async () => {
    const pool = openPool(postgres.url);
    const schema = newTable();
    await pool.query(`CREATE SCHEMA "${schema}"`);
    onTestFinished(async () => {
      await openPool(postgres.url).query(`DROP SCHEMA "${schema}" CASCADE`);
    });
    for (const table of [`${schema}.Sessions`, `${schema}.sessions`, `${schema}.select`]) {
      const driver = postgresDriver({ client: pool, table });
      await driver.setup();
      expect(await driver.check()).toEqual([]);
      await begin(driver);
      expect((await driver.list({ limit: 10 }, Date.now())).records).toHaveLength(1);
    }
  });

  describe("a bad option is named", () => {
    const client = { query: async () => ({ rows: [], rowCount: 0 }) };
    test.each<[Record<string, unknown>, RegExp]>([
      [{}, /client must be a Pool or a Client of pg, .* or a PostgresExecutor; got undefined/],
      [{ client: "postgres://user:hunter2@host" }, /client must be/],
      [{ client, table: "a; DROP TABLE users" }, /table must be/],
      [{ client, table: "a.b.c" }, /table must be/],
      [{ client, table: 'a"b' }, /table must be/],
      [{ client, table: "" }, /table must be/],
      [{ client, timeout: "soon" }, /timeout must be a duration .* got "soon"/],
      [{ client, unlogged: "yes" }, /unlogged must be true or false; got "yes"/],
      [{ client, unloged: true }, /postgresDriver: unknown option "unloged". Did you mean "unlogged"/],
    ])("%j", (options, message) => {
      let thrown: unknown;
      try {
        postgresDriver(options as unknown as PostgresDriverOptions);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(SessionConfigError);
      expect(String(thrown)).toMatch(message);
      expect(inspect(thrown)).not.toContain("hunter2");
    });

    test.each([
      "",
      "postgres//user:hunter2@host",
      "http://user:hunter2@host",
      "postgres://user:hunter2@ho st:x",
    ])("a URL that is none is refused without being shown: %#", async (url) => {
      const thrown = await fromUrl(url).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(SessionConfigError);
      expect(inspect(thrown)).not.toContain("hunter2");
    });
  });
});

test.each<[object, string]>([
  [{ tabel: "x" }, 'postgresDriver fromUrl: unknown option "tabel". Did you mean "table"?'],
  [{ client: {} }, 'postgresDriver fromUrl: unknown option "client"'],
])("fromUrl refuses %j", async (options, message) => {
  await expect(fromUrl("postgres://127.0.0.1:1/x", { ...options })).rejects.toThrow(message);
});

test("an option of the driver's in a URL is named, and the URL is not shown", async () => {
  const error: unknown = await fromUrl("postgres://u:hunter2@host/db?unlogged=1").catch(
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({
    code: "ERR_SESSION_CONFIG",
    message:
      'postgresDriver fromUrl: "unlogged" is an option, not a parameter of the URL. Use fromUrl(url, { unlogged })',
  });
});
