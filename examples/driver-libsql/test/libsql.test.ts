import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { createClient } from "@libsql/client";
import { isProvisionedDriver, isSessionError, type NewRecord } from "@sessions/core";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { fromUrl, libsqlDriver } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "sessions-libsql-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const HOUR = 3_600_000;
const now = Date.now();
const record: NewRecord = { expiresAt: now + HOUR, principal: "ada", fields: new Map([["s/k", "1"]]) };
const id = "a".repeat(32);
const write = { fields: new Map([["s/k", "a secret"]]) };

let files = 0;
function newFile() {
  const url = `file:${join(folder, `${files++}.db`)}`;
  const open = () => {
    const client = createClient({ url });
    onTestFinished(() => client.close());
    return client;
  };
  return { url, open, client: open() };
}

describe("options that cannot work are refused, by name", () => {
  const client = { execute() {}, batch() {} };
  const wrong: [string, unknown, RegExp][] = [
    ["no client", {}, /client must be a client of @libsql\/client/],
    ["an unknown option", { client, ttl: 5 }, /libsqlDriver: unknown option "ttl"/],
    ["a table with a quote", { client, table: 'a"b' }, /table/],
  ];
  test.each(wrong)("%s", (_, options, message) => {
    expect(() => Reflect.apply(libsqlDriver, undefined, [options])).toThrow(message);
  });

  test.each(["redis://host", "libsql://host?table=secret", "libsql:"])(
    "the URL %s, which no message shows",
    async (url) => {
      const error: unknown = await (async () => fromUrl(url))().catch((error: unknown) => error);
      expect(isSessionError(error, "ERR_SESSION_CONFIG")).toBe(true);
      expect(String(error)).not.toContain("secret");
    },
  );
});

test("a change waits for another writer of the file", async () => {
  const { client, open } = newFile();
  const driver = libsqlDriver({ client });
  await driver.setup();
  await driver.create(id, record, now);
  const other = await open().transaction("write");
  await other.execute("UPDATE sessions SET version = version + 1");
  const committed = driver.commit(id, write, now);
  await new Promise((resolve) => setTimeout(resolve, 20)); // Long enough for a first try.
  await other.commit();
  expect(await committed).toBe("committed");
  expect((await driver.load(id))?.version).toBe(3);
});

test("a writer that does not end is DriverUnavailableError, and the change is not made afterwards", async () => {
  const { client, open } = newFile();
  const driver = libsqlDriver({ client, timeout: 100 });
  await driver.setup();
  await driver.create(id, record, now);
  const other = await open().transaction("write");
  const error: unknown = await driver.commit(id, write, now).catch((error: unknown) => error);
  expect(isSessionError(error, "ERR_SESSION_UNAVAILABLE")).toBe(true);
  await other.rollback();
  await new Promise((resolve) => setTimeout(resolve, 50)); // Longer than the longest pause between two tries.
  expect((await driver.load(id))?.version).toBe(1);
});

test("the error of a write that the database refuses holds no text", async () => {
  const { client } = newFile();
  const driver = libsqlDriver({ client });
  await driver.setup();
  await driver.create(id, record, now);
  await client.execute(`CREATE TRIGGER no BEFORE UPDATE ON sessions BEGIN
    INSERT INTO sessions (id, version, expires_at, fields) VALUES (new.id, 1, 1, new.fields); END`);
  const error: unknown = await driver.commit(id, write, now).catch((error: unknown) => error);
  expect(isSessionError(error, "ERR_SESSION_UNAVAILABLE")).toBe(true);
  expect(inspect(error)).not.toContain("secret");
  expect(inspect(error)).toContain("SQLITE_CONSTRAINT");
});

test("setup() and teardown() leave another application's table as it is", async () => {
  const { client } = newFile();
  await client.execute("CREATE TABLE sessions (sid TEXT PRIMARY KEY, sess TEXT)");
  const driver = libsqlDriver({ client });
  for (const call of [driver.setup, driver.teardown])
    await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
  expect((await driver.check()).length).toBeGreaterThan(0);
  expect((await client.execute("SELECT * FROM sessions")).columns).toEqual(["sid", "sess"]);
});

test("check() names an index that is missing, and the statements use both", async () => {
  const { client, open } = newFile();
  // libSQL keeps a table locked for the connection that has explained a statement.
  const other = open();
  const driver = libsqlDriver({ client });
  await driver.setup();
  const plan = async (sql: string) => inspect((await other.execute(`EXPLAIN QUERY PLAN ${sql}`)).rows);
  expect(
    await plan(
      "SELECT id FROM sessions WHERE expires_at >= 1 AND expires_at < 2 ORDER BY expires_at LIMIT 1",
    ),
  ).toContain("sessions_expires_at");
  expect(
    await plan(
      "SELECT id FROM sessions WHERE id > '' AND principal = 'a' AND expires_at > 1 ORDER BY id LIMIT 1",
    ),
  ).toContain("sessions_principal");
  await client.execute("DROP INDEX sessions_expires_at");
  expect(await driver.check()).toEqual([expect.stringMatching(/sweep\(\) reads the whole table/)]);
  await driver.setup();
  expect(await driver.check()).toEqual([]);
});

test("by the URL of a file", async () => {
  const driver = await fromUrl(`libsql:${join(folder, "by-url.db")}`);
  if (!isProvisionedDriver(driver)) throw new Error("It has no setup()");
  await driver.setup();
  expect(await driver.create(id, record, now)).toBe(true);
  expect((await driver.load(id))?.principal).toBe("ada");
});
