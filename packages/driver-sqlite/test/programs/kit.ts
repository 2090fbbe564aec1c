/** Runs the kit and further tests on `node:sqlite`, and prints a report in JSON. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Report, runConformance } from "@sessions/conformance";
import { isSessionError, type SessionErrorCode } from "@sessions/core";
import { begin, newId } from "@sessions/driver-tests/records";
import { fromUrl, type SqliteClientLike, sqliteDriver } from "../../src/index.ts";

/** `DatabaseSync` as Node documents it: the types of Node 20 lack it. */
interface DatabaseSync extends SqliteClientLike {
  open(): void;
  close(): void;
  readonly limits?: { length: number };
}
type Module = { DatabaseSync: new (path: string, options?: Record<string, unknown>) => DatabaseSync };

const isModule = (value: unknown): value is Module => typeof Object(value).DatabaseSync === "function";
const module: unknown = process.getBuiltinModule("node:sqlite");
assert.ok(isModule(module));
const { DatabaseSync } = module;

const folder = mkdtempSync(join(tmpdir(), "sessions-sqlite-"));
const path = join(folder, "sessions.db");
const opened: DatabaseSync[] = [];

function open(options: Record<string, unknown> = {}): DatabaseSync {
  const client = new DatabaseSync(path, options);
  opened.push(client);
  return client;
}

const refuses = (code: SessionErrorCode) => (error: unknown) => isSessionError(error, code);
const x = (text: string) => ({ fields: new Map([["a/x", text]]) });

const one = open();
const own: DatabaseSync[] = [];
const kits: Record<string, () => Promise<Report>> = {
  // A handle that is closed, and opened again.
  "node:sqlite, one handle": () =>
    runConformance({
      name: "sqlite",
      open: (namespace) => sqliteDriver({ client: one, table: namespace, timeout: 500 }),
      outage: { cut: async () => one.close(), restore: async () => one.open() },
    }),
  "node:sqlite, a handle each": () =>
    runConformance({
      name: "sqlite",
      open(namespace) {
        const client = open({ timeout: 5000 });
        own.push(client);
        return sqliteDriver({ client, table: namespace, timeout: 500 });
      },
      outage: {
        cut: async () => own.forEach((client) => void client.close()),
        restore: async () => own.forEach((client) => void client.open()),
      },
    }),
  "node:sqlite, fromUrl": () =>
    runConformance({
      name: "sqlite",
      open: (namespace) => fromUrl(`sqlite://${path}`, { table: namespace }),
    }),
};

const others: Record<string, () => Promise<void>> = {
  async "calls wait while a transaction is open on the handle"() {
    const client = open();
    const driver = sqliteDriver({ client, table: "transaction", timeout: 300 });
    await driver.setup();
    const id = await begin(driver);
    client.exec("BEGIN");
    await assert.rejects(driver.commit(id, x("1"), Date.now()), refuses("ERR_SESSION_UNAVAILABLE"));
    const waiting = driver.commit(id, x("2"), Date.now());
    client.exec("ROLLBACK");
    assert.equal(await waiting, "committed");
    assert.equal((await driver.load(id))?.fields.get("a/x"), "2");
  },

  // Before Node 22.16, no handle tells.
  async "calls wait while a transaction is open on a handle that does not tell, in a rollback journal"() {
    const inner = new DatabaseSync(join(folder, "journal.db"));
    opened.push(inner);
    const client: SqliteClientLike = { prepare: (sql) => inner.prepare(sql), exec: (sql) => inner.exec(sql) };
    const driver = sqliteDriver({ client, timeout: 300 });
    await driver.setup();
    inner.exec("PRAGMA journal_mode = DELETE");
    const id = await begin(driver);
    inner.exec("BEGIN; UPDATE sessions SET version = 99");
    await assert.rejects(driver.load(id), refuses("ERR_SESSION_UNAVAILABLE"));
    await assert.rejects(driver.commit(id, x("1"), Date.now()), refuses("ERR_SESSION_UNAVAILABLE"));
    inner.exec("ROLLBACK");
    assert.equal((await driver.load(id))?.version, 1);
    assert.equal(await driver.commit(id, x("2"), Date.now()), "committed");
  },

  async "a locked file is waited for without blocking, and the handle keeps its busy timeout"() {
    const client = open({ timeout: 6_000 });
    const driver = sqliteDriver({ client, table: "locked", timeout: "5s" });
    await driver.setup();
    const id = await begin(driver);
    const other = open();
    other.exec("BEGIN IMMEDIATE");
    const waiting = driver.commit(id, x("1"), Date.now());
    // This never runs if the wait blocks the process.
    setTimeout(() => other.exec("COMMIT"), 20);
    assert.equal(await waiting, "committed");
    assert.deepEqual(Object.values(Object(client.prepare("PRAGMA busy_timeout").all()[0])), [6_000]);
  },

  async "rows as arrays, and numbers as bigints, make no difference"() {
    const client = open({ returnArrays: true, readBigInts: true });
    const driver = sqliteDriver({ client, table: "arrays" });
    await driver.setup();
    assert.deepEqual(await driver.check(), []);
    const id = await begin(driver, { expiresAt: 8_640_000_000_000_000, principal: "alice" });
    assert.equal(await driver.commit(id, { ...x("1"), ifVersion: 1 }, Date.now()), "committed");
    assert.deepEqual(await driver.load(id), {
      version: 2,
      expiresAt: 8_640_000_000_000_000,
      principal: "alice",
      ...x("1"),
    });
    assert.equal(await driver.destroy(id, Date.now()), true);
  },

  async "a missing table is SessionSetupError"() {
    const driver = sqliteDriver({ client: open(), table: "missing" });
    await assert.rejects(driver.load(newId()), refuses("ERR_SESSION_SETUP"));
    await assert.rejects(begin(driver), refuses("ERR_SESSION_SETUP"));
  },
};
if (one.limits)
  others["a record that is too large is SessionTooLargeError, and changes nothing"] = async () => {
    const client = open();
    const driver = sqliteDriver({ client, table: "large" });
    await driver.setup();
    const id = await begin(driver, { fields: new Map([["a/y", "y".repeat(60_000)]]) });
    Object.assign(client.limits ?? {}, { length: 100_000 });
    const many = new Map(Array.from({ length: 600 }, (_, i) => [`many/${i}`, "x".repeat(100)]));
    // Alone, over fields that are there already, and through the statement for many fields.
    for (const change of [x("x".repeat(100_001)), x("x".repeat(60_000)), { fields: many }])
      await assert.rejects(driver.commit(id, change, Date.now()), refuses("ERR_SESSION_TOO_LARGE"));
    await assert.rejects(begin(driver, x("x".repeat(100_001))), refuses("ERR_SESSION_TOO_LARGE"));
    const record = await driver.load(id);
    assert.deepEqual([record?.version, record?.fields.size], [1, 1]);
    assert.equal(await driver.commit(id, x("small"), Date.now()), "committed");
  };

const results: { suite: string; title: string; status: string; error?: string }[] = [];
for (const [suite, run] of Object.entries(kits))
  for (const { rule, title, status, error } of (await run()).results)
    results.push({
      suite,
      title: `${rule} ${title}`,
      status,
      ...(error !== undefined && { error: `${error}` }),
    });
for (const [title, run] of Object.entries(others)) {
  const error = await run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const status = error === undefined ? "passed" : "failed";
  results.push({ suite: "node:sqlite", title, status, ...(error !== undefined && { error: `${error}` }) });
}
for (const client of opened) client.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(results));
