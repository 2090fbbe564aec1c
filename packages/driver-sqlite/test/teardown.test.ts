import { type ObjectCase, testObjects } from "@sessions/driver-tests";
import { expect, test } from "vitest";
import { sqliteDriver } from "../src/index.ts";
import { begin } from "./records.ts";
import { openFile, ownFile, pluck } from "./support.ts";

/** What has the name `sessions`, once these statements ran behind those of `setup()`, if the driver is to run it first. */
function objectCase(what: string, foreign: boolean, sql: string): ObjectCase {
  const client = () => openFile(path);
  let path = "";
  const schema = () =>
    String(pluck(client(), "SELECT group_concat(name || ' ' || coalesce(sql, ''), ';') FROM sqlite_schema"));
  let before = "";
  return {
    what,
    foreign,
    async make() {
      path = ownFile();
      const driver = sqliteDriver({ client: client() });
      if (!foreign) {
        await driver.setup();
        await begin(driver);
      }
      client().exec(sql);
      before = schema();
      return driver;
    },
    async isThere() {
      const there = Number(
        pluck(client(), "SELECT count(*) FROM sqlite_schema WHERE name = 'sessions' COLLATE NOCASE"),
      );
      return there === 1 && (!foreign || schema() === before);
    },
  };
}

const OURS = "id TEXT PRIMARY KEY, principal TEXT, version INTEGER, expires_at INTEGER, fields TEXT";

testObjects(test, [
  objectCase(
    "a table of better-sqlite3-session-store",
    true,
    "CREATE TABLE sessions (sid TEXT PRIMARY KEY, sess JSON, expire TEXT)",
  ),
  objectCase(
    "a table of Laravel",
    true,
    "CREATE TABLE Sessions (id TEXT PRIMARY KEY, user_id INT, ip_address TEXT, user_agent TEXT, payload TEXT, last_activity INT)",
  ),
  objectCase(
    "a table with an id and an expiry",
    true,
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, principal TEXT, expires_at INT)",
  ),
  objectCase("a view", true, `CREATE TABLE other (${OURS}); CREATE VIEW sessions AS SELECT * FROM other`),
  objectCase("a table without a column", false, "ALTER TABLE sessions DROP COLUMN fields"),
  objectCase("a table without an index", false, "DROP INDEX sessions_by_expiry"),
  objectCase(
    "a table with a column of another type",
    false,
    `DROP TABLE sessions; CREATE TABLE sessions (${OURS.replace("TEXT", "BLOB")})`,
  ),
]);

test("teardown() of a missing table succeeds", async () => {
  await sqliteDriver({ client: openFile(ownFile()) }).teardown();
});

test("a call without a table names both ways to make it", async () => {
  await expect(sqliteDriver({ client: openFile(ownFile()) }).load("x")).rejects.toMatchObject({
    code: "ERR_SESSION_SETUP",
    message: expect.stringContaining("call sessions.setup(), or driver.setup() where there is no manager"),
  });
});
