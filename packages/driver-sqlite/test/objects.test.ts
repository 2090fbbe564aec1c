import { type ObjectCase, testFirstUse, testLostTable, testObjects } from "@sessions/driver-tests";
import { begin } from "@sessions/driver-tests/records";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { sqliteDriver } from "../src/index.ts";
import { openFile, ownFile, pluck } from "./support.ts";

const schemaOf = (client: Database.Database): unknown[] =>
  client.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();

/** `sql` makes the object that the driver finds, or damages its own table. */
function objectCase(what: string, foreign: boolean, sql: string): ObjectCase {
  let client: Database.Database;
  let before: unknown[];
  return {
    what,
    foreign,
    async make() {
      client = openFile(ownFile());
      const driver = sqliteDriver({ client });
      if (!foreign) {
        await driver.setup();
        await begin(driver);
      }
      client.exec(sql);
      before = schemaOf(client);
      return driver;
    },
    async isThere() {
      const now = schemaOf(client);
      if (now.length > 0) expect(now).toEqual(before);
      if (foreign) expect(pluck(client, "PRAGMA journal_mode")).toBe("delete");
      return now.length > 0;
    },
  };
}

/** Makes the driver's table again, with a changed definition. */
const remade = (columns: string): string => `DROP TABLE sessions; CREATE TABLE sessions (${columns})`;

testObjects(test, [
  objectCase(
    "the table of better-sqlite3-session-store",
    true,
    "CREATE TABLE sessions (sid TEXT NOT NULL PRIMARY KEY, sess JSON NOT NULL, expire TEXT NOT NULL)",
  ),
  objectCase(
    "the table of connect-sqlite3",
    true,
    "CREATE TABLE sessions (sid PRIMARY KEY, expired, sess); INSERT INTO sessions VALUES ('a', 1, '{}')",
  ),
  objectCase(
    "the table of Laravel",
    true,
    "CREATE TABLE sessions (id varchar PRIMARY KEY, user_id integer, ip_address varchar, user_agent text, payload text, last_activity integer)",
  ),
  objectCase(
    "a table whose name differs in case",
    true,
    "CREATE TABLE Sessions (id INTEGER PRIMARY KEY, session_id varchar, data text, created_at datetime, updated_at datetime)",
  ),
  objectCase(
    "a table with an id, a version and an expiry",
    true,
    "CREATE TABLE sessions (id TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL, expires_at INTEGER NOT NULL, data TEXT)",
  ),
  objectCase(
    "a view with the driver's columns",
    true,
    "CREATE VIEW sessions AS SELECT 'a' AS id, NULL AS principal, 1 AS version, 1 AS expires_at, '{}' AS fields",
  ),
  objectCase(
    "a virtual table",
    true,
    "CREATE VIRTUAL TABLE sessions USING fts5(id, principal, version, expires_at, fields)",
  ),
  objectCase("its table without a column", false, "ALTER TABLE sessions DROP COLUMN version"),
  objectCase(
    "its table without its primary key and indexes",
    false,
    remade("id TEXT, principal TEXT, version INTEGER, expires_at INTEGER, fields TEXT"),
  ),
  objectCase(
    "its table with other types and collations",
    false,
    remade(
      "id INTEGER PRIMARY KEY, principal TEXT COLLATE NOCASE, version TEXT, expires_at TEXT, fields BLOB",
    ),
  ),
  objectCase("its table with a column more", false, "ALTER TABLE sessions ADD COLUMN tenant INTEGER"),
]);

testLostTable(test, async () => {
  const client = openFile(ownFile());
  return { driver: sqliteDriver({ client }), drop: async () => client.exec("DROP TABLE sessions") };
});

testFirstUse(test, "a missing index", async () => {
  const client = openFile(ownFile());
  return { driver: sqliteDriver({ client }), drop: async () => client.exec("DROP INDEX sessions_by_expiry") };
});

test("a table of the same name in an attached database is left alone", async () => {
  const client = openFile(ownFile());
  const other = ownFile();
  await sqliteDriver({ client: openFile(other) }).setup();
  client.exec(`ATTACH '${other}' AS other`);
  const driver = sqliteDriver({ client });
  expect(await driver.check()).toEqual(["The table sessions is missing: run setup()"]);
  await driver.teardown();
  expect(pluck(client, "SELECT count(*) FROM other.sqlite_schema WHERE name = 'sessions'")).toBe(1);
});

test.each([
  ["a TEMP table", "CREATE TEMP TABLE sessions AS SELECT * FROM main.sessions"],
  [
    "the table of an attached database",
    "ATTACH ':memory:' AS other; CREATE TABLE other.sessions AS SELECT * FROM main.sessions",
  ],
])("%s with the driver's name and columns is never read or written", async (_, sql) => {
  const client = openFile(ownFile());
  const driver = sqliteDriver({ client });
  await driver.setup();
  client.exec(sql);
  const now = Date.now();
  const id = await begin(driver);
  expect(await driver.load(id)).toBeDefined();
  expect(pluck(client, "SELECT count(*) FROM main.sessions")).toBe(1);
  expect((await driver.list({ limit: 9 }, now)).records).toHaveLength(1);
  expect(await driver.destroy(id, now)).toBe(true);
  client.exec("DROP TABLE main.sessions");
  await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
  await driver.setup();
  expect(await driver.check()).toEqual([]);
});

test("setup() refuses a table that lacks a column, and adds no index to it", async () => {
  const client = openFile(ownFile());
  const driver = sqliteDriver({ client });
  await driver.setup();
  client.exec("ALTER TABLE sessions DROP COLUMN version; DROP INDEX sessions_by_expiry");
  const before = schemaOf(client);
  await expect(driver.setup()).rejects.toMatchObject({
    code: "ERR_SESSION_SETUP",
    message: expect.stringContaining("lacks a column"),
  });
  expect(schemaOf(client)).toEqual(before);
});

test("setup() waits for no writer if nothing is missing, and says so if it may not make the table", async () => {
  const path = ownFile();
  await sqliteDriver({ client: openFile(path) }).setup();
  openFile(path).exec("BEGIN IMMEDIATE");
  await sqliteDriver({ client: openFile(path) }).setup();
  const client = openFile(path, { readonly: true });
  await sqliteDriver({ client }).setup();
  await expect(sqliteDriver({ client, table: "other" }).setup()).rejects.toMatchObject({
    code: "ERR_SESSION_SETUP",
    message: expect.stringContaining("the database is read-only"),
  });
});

describe("a closed handle", () => {
  test("makes every call reject with a message that says so", async () => {
    const client = new Database(ownFile());
    const driver = sqliteDriver({ client });
    await driver.setup();
    client.close();
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
        reason: {
          code: "ERR_SESSION_UNAVAILABLE",
          message: "sqlite: the handle is closed. Keep it open as long as the driver is used.",
        },
      });
  });
});
