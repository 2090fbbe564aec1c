import { inspect } from "node:util";
import { SessionConfigError } from "@sessions/core";
import { begin } from "@sessions/driver-tests/records";
import type Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type SqliteDriverOptions, sqliteDriver } from "../src/index.ts";
import { definition, openFile, ownFile, pluck } from "./support.ts";

/** The database's objects, as SQLite describes them. */
const schemaOf = (client: Database.Database): unknown[] =>
  client.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").all();

/** The result of `check()` on a table with the README's definition and one change. */
async function checkWith(from: string | RegExp, to: string): Promise<string[]> {
  const client = openFile(ownFile());
  const changed = definition().replace(from, to);
  expect(changed).not.toBe(definition());
  client.exec(`PRAGMA journal_mode = WAL; ${changed}`);
  return sqliteDriver({ client }).check();
}

describe("check() names", () => {
  test("a missing table, and nothing after setup()", async () => {
    const driver = sqliteDriver({ client: openFile(ownFile()) });
    expect(await driver.check()).toEqual(["The table sessions is missing: run setup()"]);
    await driver.setup();
    expect(await driver.check()).toEqual([]);
  });

  test.each([
    ["sessions_by_expiry", /^The index on \(expires_at\) of sessions is missing, .* run setup\(\)$/],
    ["sessions_by_principal", /^The index on \(principal, id\) of sessions is missing, .* run setup\(\)$/],
  ])("a missing index, which setup() makes again: %s", async (index, message) => {
    const client = openFile(ownFile());
    const driver = sqliteDriver({ client });
    await driver.setup();
    client.exec(`DROP INDEX ${index}`);
    expect(await driver.check()).toEqual([expect.stringMatching(message)]);
    await driver.setup();
    expect(await driver.check()).toEqual([]);
  });

  test.each<[string, string | RegExp, string, RegExp]>([
    [
      "a column of another type",
      "expires_at INTEGER",
      "expires_at TEXT",
      /expires_at .* is TEXT: make it INTEGER/,
    ],
    ["a column that holds bytes", /fields +TEXT/, "fields BLOB", /fields .* is BLOB: make it TEXT NOT NULL/],
    ["a column that takes NULL", "version    INTEGER NOT NULL", "version INTEGER", /version .* takes NULL/],
    ["a column that refuses NULL", /principal +TEXT/, "principal TEXT NOT NULL", /principal .* refuses NULL/],
    ["a missing column", /fields +TEXT NOT NULL/, "data TEXT", /The column fields of sessions is missing/],
    ["another missing column", /version +INTEGER NOT NULL,/, "", /The column version of sessions is missing/],
    [
      "an index that begins with another column",
      '"sessions" (expires_at)',
      '"sessions" (principal COLLATE NOCASE, expires_at)',
      /index on \(expires_at\) of sessions is missing/,
    ],
    ["no primary key", "PRIMARY KEY", "", /primary key of sessions is not \(id\)/],
    [
      "an index of some records only",
      '"sessions" (expires_at)',
      '"sessions" (expires_at) WHERE expires_at > 5',
      /index on \(expires_at\) of sessions is missing/,
    ],
  ])("%s", async (_, from, to, message) => {
    expect(await checkWith(from, to)).toEqual([expect.stringMatching(message)]);
  });

  test.each([
    ["id", /id +TEXT/, "id TEXT COLLATE NOCASE"],
    ["principal", /principal +TEXT/, "principal TEXT COLLATE RTRIM"],
  ])("a collation that takes different texts for one, and its index: %s", async (column, from, to) => {
    const found = await checkWith(from, to);
    expect(found[0]).toBe(
      `The column ${column} of sessions is not compared byte by byte: make it COLLATE BINARY`,
    );
    expect(found[1]).toMatch(
      column === "id" ? /primary key of sessions/ : /index on \(principal, id\) of sessions/,
    );
  });

  test.each<[string, (path: string) => Database.Database]>([
    ["a handle that was opened so", (path) => openFile(path, { readonly: true })],
    [
      "a pragma",
      (path) => {
        const client = openFile(path);
        client.pragma("query_only = ON");
        return client;
      },
    ],
  ])("a database that may only be read, by %s", async (_, open) => {
    const path = ownFile();
    await sqliteDriver({ client: openFile(path) }).setup();
    expect(await sqliteDriver({ client: open(path) }).check()).toEqual([
      expect.stringMatching(/^The database is read-only: open it for writing/),
    ]);
  });

  test("a rollback journal, which setup() replaces by WAL mode", async () => {
    const client = openFile(ownFile());
    client.exec(definition());
    const driver = sqliteDriver({ client });
    expect(await driver.check()).toEqual([expect.stringMatching(/^The journal mode is delete.* setup\(\)$/)]);
    await driver.setup();
    expect(await driver.check()).toEqual([]);
  });

  test("an encoding that loses characters", async () => {
    const client = openFile(ownFile());
    client.pragma("encoding = 'UTF-16le'");
    const driver = sqliteDriver({ client });
    await driver.setup();
    expect(await driver.check()).toEqual([expect.stringMatching(/encoding is UTF-16le, which loses/)]);
    // The remedy that check() names.
    const id = await begin(driver, { principal: "a\uFFFF" });
    expect((await driver.load(id))?.principal).toBe("a\uFFFD");
  });

  test("no problem during an outage, but rejects with DriverUnavailableError", async () => {
    const path = ownFile();
    const driver = sqliteDriver({ client: openFile(path), timeout: 50 });
    await driver.setup();
    const other = openFile(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(driver.check()).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  });
});

test("the definition in the README equals that of setup(), and check() finds nothing", async () => {
  const [own, migrated] = [openFile(ownFile()), openFile(ownFile())];
  await sqliteDriver({ client: own }).setup();
  migrated.exec(`PRAGMA journal_mode = WAL; ${definition()}`);
  expect(schemaOf(migrated)).toEqual(schemaOf(own));
  expect(schemaOf(own)).toHaveLength(4);
  expect(await sqliteDriver({ client: migrated }).check()).toEqual([]);
});

test("setup() and teardown() leave the application's own objects", async () => {
  const client = openFile(ownFile());
  client.exec('CREATE TABLE mine (x); CREATE TABLE "sessions_too" (x); INSERT INTO mine VALUES (1)');
  const before = schemaOf(client);
  const drivers = ["sessions", "sessions_2", "order", "_"].map((table) => sqliteDriver({ client, table }));
  for (const driver of drivers) {
    await driver.setup();
    await driver.setup();
    await begin(driver, { principal: "alice" });
    expect(await driver.check()).toEqual([]);
    expect((await driver.list({ limit: 10 }, Date.now())).records).toHaveLength(1);
  }
  for (const driver of drivers) await driver.teardown();
  expect(schemaOf(client)).toEqual(before);
  expect(pluck(client, "SELECT x FROM mine")).toBe(1);
});

describe("a bad option is named", () => {
  const client = { prepare: () => undefined, exec() {} };
  test.each<[Record<string, unknown>, RegExp]>([
    [
      {},
      /client must be a handle of better-sqlite3, node:sqlite or bun:sqlite, .* or a SqliteExecutor; got undefined/,
    ],
    [{ client: "sqlite:secret.db" }, /client must be .* got "string"/],
    [{ client: { prepare() {} } }, /client must be/],
    [{ client, table: "" }, /table must be a name of 1 to 64 .* got ""/],
    [{ client, table: 'x"; DROP TABLE y' }, /table must be/],
    [{ client, table: "Sessions" }, /table must be a name of 1 to 64 of a-z 0-9 _/],
    [{ client, table: "sqlite_sessions" }, /table must be/],
    [{ client, table: "1a" }, /table must be/],
    [{ client, table: "x".repeat(65) }, /table must be/],
    [{ client, table: 5 }, /table must be .* got 5/],
    [{ client, timeout: "soon" }, /timeout must be a duration .* got "soon"/],
    [{ client, timeout: 0 }, /timeout must be/],
    [{ client, prefix: "x" }, /sqliteDriver: unknown option "prefix"\. Known: client, table, timeout/],
  ])("%j", (options, message) => {
    let thrown: unknown;
    try {
      sqliteDriver(options as unknown as SqliteDriverOptions);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SessionConfigError);
    expect(String(thrown)).toMatch(message);
    expect(inspect(thrown)).not.toContain("secret");
  });
});
