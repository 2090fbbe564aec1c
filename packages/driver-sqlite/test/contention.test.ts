import { type Driver, isListingDriver } from "@sessions/core";
import { begin, HOUR, newId } from "@sessions/driver-tests/records";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type SqliteClientLike, sqliteDriver } from "../src/index.ts";
import { definition, openFile, ownFile, pluck } from "./support.ts";

const unavailable = { code: "ERR_SESSION_UNAVAILABLE" };
const x = (text: string) => ({ fields: new Map([["a/x", text]]) });

/** Calls every method, and expects each to be refused. */
async function expectUnavailable(driver: Driver, id: string, message: RegExp): Promise<void> {
  const now = Date.now();
  const calls = [
    driver.create(newId(), { expiresAt: now + HOUR, ...x("1") }, now),
    driver.load(id),
    driver.commit(id, x("1"), now),
    driver.commit(id, { ...x("1"), ifVersion: 1 }, now),
    driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now),
    driver.destroy(id, now),
    driver.sweep({ after: 0, before: now, limit: 10 }),
    ...(isListingDriver(driver)
      ? [driver.list({ limit: 10 }, now), driver.list({ principal: "alice", limit: 10 }, now)]
      : []),
  ];
  for (const outcome of await Promise.allSettled(calls))
    expect(outcome).toMatchObject({ status: "rejected", reason: unavailable });
  await expect(driver.load(id)).rejects.toThrow(message);
}

async function walDriver(timeout: number) {
  const path = ownFile();
  const client = openFile(path);
  const driver = sqliteDriver({ client, timeout });
  await driver.setup();
  return { path, client, driver, id: await begin(driver) };
}

describe("a lock of another connection", () => {
  test("is waited for without blocking the process, and the handle keeps its busy timeout", async () => {
    const { path, client, driver, id } = await walDriver(4_000);
    // Longer than the driver's timeout.
    expect(pluck(client, "PRAGMA busy_timeout")).toBe(5_000);
    const other = openFile(path);
    other.exec("BEGIN IMMEDIATE");
    const waiting = driver.commit(id, x("1"), Date.now());
    // This never runs if the wait blocks the process.
    setTimeout(() => other.exec("COMMIT"), 20);
    expect(await waiting).toBe("committed");
    expect(pluck(client, "PRAGMA busy_timeout")).toBe(5_000);
    client.pragma("busy_timeout = 77");
    await driver.load(id);
    expect(pluck(client, "PRAGMA busy_timeout")).toBe(77);
  });

  test("that lasts is DriverUnavailableError for writes, which are not done later; reads go on", async () => {
    const { path, driver, id } = await walDriver(100);
    const other = openFile(path);
    other.exec("BEGIN IMMEDIATE");
    const change = x("late");
    await expect(driver.commit(id, change, Date.now())).rejects.toThrow(
      /another connection kept the database/,
    );
    await expect(driver.destroy(id, Date.now())).rejects.toMatchObject(unavailable);
    expect((await driver.load(id))?.version).toBe(1);
    other.exec("COMMIT");
    await new Promise(setImmediate);
    expect((await driver.load(id))?.version).toBe(1);
    expect(await driver.commit(id, x("1"), Date.now())).toBe("committed");
  });

  test("what a caller changes while a commit waits is not written", async () => {
    const { path, driver, id } = await walDriver(60_000);
    const other = openFile(path);
    other.exec("BEGIN IMMEDIATE");
    const { fields } = x("given");
    const waiting = driver.commit(id, { fields }, Date.now());
    fields.set("a/x", "changed");
    other.exec("COMMIT");
    await waiting;
    expect((await driver.load(id))?.fields.get("a/x")).toBe("given");
  });
});

describe("a database in rollback journal mode", () => {
  async function rollbackDriver() {
    const path = ownFile();
    const client = openFile(path);
    client.exec(definition());
    expect(pluck(client, "PRAGMA journal_mode")).toBe("delete");
    const driver = sqliteDriver({ client, timeout: 100 });
    return { path, driver, id: await begin(driver) };
  }

  test("every method is DriverUnavailableError while another connection locks the file", async () => {
    const { path, driver, id } = await rollbackDriver();
    const other = openFile(path);
    other.exec("BEGIN EXCLUSIVE");
    await expectUnavailable(driver, id, /another connection kept the database locked/);
    other.exec("ROLLBACK");
    expect((await driver.load(id))?.version).toBe(1);
    expect(await driver.commit(id, x("1"), Date.now())).toBe("committed");
  });

  // In a rollback journal, a reader blocks a writer at the end of its statement, when the row was found.
  test("a commit that a reader blocks is not acknowledged", async () => {
    const { path, driver, id } = await rollbackDriver();
    const other = openFile(path);
    other.exec("BEGIN");
    expect(pluck(other, "SELECT count(*) FROM sessions")).toBe(1);
    const now = Date.now();
    await expect(driver.commit(id, x("1"), now)).rejects.toMatchObject(unavailable);
    await expect(driver.destroy(id, now)).rejects.toMatchObject(unavailable);
    await expect(begin(driver)).rejects.toMatchObject(unavailable);
    other.exec("COMMIT");
    expect(pluck(other, "SELECT group_concat(version) FROM sessions")).toBe("1");
  });
});

describe("the application's own use of the handle", () => {
  test("calls wait for the end of a transaction, which cannot roll them back", async () => {
    const { client, driver, id } = await walDriver(60_000);
    client.exec("BEGIN");
    const calls = [driver.commit(id, x("1"), Date.now()), begin(driver)];
    await new Promise(setImmediate);
    client.exec("ROLLBACK");
    const [outcome, other = ""] = await Promise.all(calls);
    expect(outcome).toBe("committed");
    expect((await driver.load(id))?.version).toBe(2);
    expect(await driver.load(other)).toBeDefined();
  });

  test("calls wait for the end of an iterate()", async () => {
    const { client, driver, id } = await walDriver(60_000);
    const rows = client.prepare("SELECT 1 UNION SELECT 2").iterate();
    rows.next();
    const waiting = driver.commit(id, x("1"), Date.now());
    await new Promise(setImmediate);
    rows.return?.();
    expect(await waiting).toBe("committed");
  });

  test("a load during an iterate() does not find what another connection has ended", async () => {
    const { path, client, driver, id } = await walDriver(60_000);
    const other = sqliteDriver({ client: openFile(path) });
    const rows = client.prepare("SELECT name FROM sqlite_master").iterate();
    rows.next();
    expect(await other.destroy(id, Date.now())).toBe(true);
    const waiting = driver.load(id);
    await new Promise(setImmediate);
    rows.return?.();
    expect(await waiting).toBeUndefined();
  });

  test("a transaction that lasts is DriverUnavailableError", async () => {
    const { client, driver, id } = await walDriver(50);
    client.exec("BEGIN");
    await expectUnavailable(driver, id, /the application used the same handle/);
    client.exec("ROLLBACK");
    expect((await driver.load(id))?.version).toBe(1);
  });
});

describe("a database that cannot be used is DriverUnavailableError, with SQLite's reason", () => {
  test("a handle that was closed", async () => {
    const client = new Database(ownFile());
    const driver = sqliteDriver({ client });
    await driver.setup();
    client.close();
    await expectUnavailable(driver, newId(), /the handle is closed\. Keep it open/);
  });

  test("a file that is no database", async () => {
    const driver = sqliteDriver({ client: openFile(new URL("../package.json", import.meta.url).pathname) });
    await expectUnavailable(driver, newId(), /SQLITE_NOTADB/);
  });

  test("a full disk: nothing of the commit is stored", async () => {
    const { client, driver, id } = await walDriver(1000);
    client.pragma("max_page_count = 20");
    await expect(driver.commit(id, x("x".repeat(1_000_000)), Date.now())).rejects.toThrow(/SQLITE_FULL/);
    expect(await driver.load(id)).toMatchObject({ version: 1, fields: new Map() });
    expect(await driver.commit(id, x("1"), Date.now())).toBe("committed");
  });

  test("a handle that may only read", async () => {
    const { path, id } = await walDriver(1000);
    const driver = sqliteDriver({ client: openFile(path, { readonly: true }) });
    await expect(driver.commit(id, x("1"), Date.now())).rejects.toThrow(/SQLITE_READONLY/);
    expect((await driver.load(id))?.version).toBe(1);
  });
});

test("a missing table, column or index is SessionSetupError at once, which says what to do", async () => {
  const client = openFile(ownFile());
  const driver = sqliteDriver({ client, table: "elsewhere", timeout: "1h" });
  const setup = {
    code: "ERR_SESSION_SETUP",
    message: expect.stringMatching(/"elsewhere" does not exist\. Call sessions\.setup\(\)/),
  };
  await expect(driver.load(newId())).rejects.toMatchObject(setup);
  await expect(begin(driver)).rejects.toMatchObject(setup);
  await expect(driver.sweep({ after: 0, before: 1, limit: 1 })).rejects.toMatchObject(setup);
  client.exec("CREATE TABLE elsewhere (id TEXT PRIMARY KEY, version INTEGER)");
  await expect(begin(driver)).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
  // The cache of statements keeps none that failed.
  client.exec("DROP TABLE elsewhere");
  await driver.setup();
  await begin(driver);
});

test("the errors of better-sqlite3 for large values are SessionTooLargeError", async () => {
  // The limit of 2 GB is fixed, so a fake client throws both of its errors: for a value and for a result.
  for (const error of [
    new RangeError("The bound string, buffer, or bigint is too big"),
    new Database.SqliteError("string or blob too big", "SQLITE_TOOBIG"),
  ]) {
    const client = openFile(ownFile());
    const failing: SqliteClientLike = {
      exec: (sql) => client.exec(sql),
      prepare: (sql) => ({
        all: (...values) => client.prepare(sql).all(...values),
        run() {
          throw error;
        },
      }),
    };
    const driver = sqliteDriver({ client: failing });
    await expect(begin(driver)).rejects.toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
      cause: { message: error.message },
    });
  }
});
