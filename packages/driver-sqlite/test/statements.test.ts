import { statSync } from "node:fs";
import { begin, HOUR, newId } from "@sessions/driver-tests/records";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { sqliteDriver } from "../src/index.ts";
import { openFile, ownFile } from "./support.ts";

/** A driver, and every statement that SQLite reports for it. */
async function traced() {
  const executed: string[] = [];
  const path = ownFile();
  const client = new Database(path, { verbose: (sql) => executed.push(String(sql)) });
  onTestFinished(() => {
    client.close();
  });
  const driver = sqliteDriver({ client });
  await driver.setup();

  /** Leaves out the statements around each one that touch no data. */
  async function asked(body: () => Promise<unknown>): Promise<string[]> {
    executed.length = 0;
    await body();
    return executed.filter(
      (sql) => !/^(PRAGMA|BEGIN$|SELECT 1 FROM sqlite_master LIMIT 0$|COMMIT$)/.test(sql),
    );
  }
  return { path, client, driver, asked, executed };
}

const x = new Map([["a/x", "1"]]);
const many = (count: number) =>
  new Map(Array.from({ length: count }, (_, i) => [`a/${i}`, i % 2 ? null : "1"] as const));

/** Each method's statements. */
async function everyCall({ driver, asked }: Awaited<ReturnType<typeof traced>>) {
  const now = Date.now();
  const id = await begin(driver, { principal: "alice" });
  const calls: [string, string, () => Promise<unknown>][] = [
    ["create", "INSERT", () => begin(driver, { principal: "bob" })],
    ["load", "SELECT", () => driver.load(id)],
    ["load of none", "SELECT", () => driver.load(newId())],
    ["write", "UPDATE", () => driver.commit(id, { fields: x }, now)],
    ["100 fields", "UPDATE", () => driver.commit(id, { fields: many(100) }, now)],
    ["1,000 fields", "UPDATE", () => driver.commit(id, { fields: many(1_000) }, now)],
    ["principal", "UPDATE", () => driver.commit(id, { fields: x, principal: "carol" }, now)],
    ["compare-and-set", "UPDATE", () => driver.commit(id, { fields: x, ifVersion: 5 }, now)],
    ["touch", "UPDATE", () => driver.commit(id, { fields: new Map(), expiresAt: now + HOUR }, now)],
    ["gone", "UPDATE", () => driver.commit(newId(), { fields: x }, now)],
    ["conflict", "UPDATE SELECT", () => driver.commit(id, { fields: x, ifVersion: 1 }, now)],
    ["gone, with ifVersion", "UPDATE SELECT", () => driver.commit(newId(), { fields: x, ifVersion: 1 }, now)],
    ["list", "SELECT", () => driver.list({ limit: 10 }, now)],
    ["list of a principal", "SELECT", () => driver.list({ principal: "alice", limit: 10 }, now)],
    ["sweep", "DELETE", () => driver.sweep({ after: 0, before: now, limit: 10 })],
    ["destroy", "DELETE", () => driver.destroy(id, now)],
    ["destroy of none", "DELETE", () => driver.destroy(id, now)],
  ];
  const found: { name: string; verbs: string; statements: string[] }[] = [];
  for (const [name, verbs, call] of calls) found.push({ name, verbs, statements: await asked(call) });
  return found;
}

test("every method is one statement; a compare-and-set that changed nothing takes a second one", async () => {
  for (const { name, verbs, statements } of await everyCall(await traced()))
    expect(statements.map((sql) => sql.split(" ")[0]).join(" "), name).toBe(verbs);
});

test("in WAL mode no method touches the handle's busy timeout", async () => {
  const backend = await traced();
  const touching: string[] = [];
  const asked: typeof backend.asked = async (body) => {
    const found = await backend.asked(body);
    touching.push(...backend.executed.filter((sql) => sql.startsWith("PRAGMA")));
    return found;
  };
  await everyCall({ ...backend, asked });
  expect(touching).toEqual([]);
});

test("in a rollback journal, the driver sets the busy timeout to 0 during each method", async () => {
  const { client, executed } = await traced();
  client.pragma("journal_mode = DELETE");
  const driver = sqliteDriver({ client });
  const id = await begin(driver);
  const pragmas = ["PRAGMA busy_timeout", "PRAGMA busy_timeout = 0", "PRAGMA busy_timeout = 5000"];
  for (const call of [() => driver.load(id), () => driver.commit(id, { fields: x }, Date.now())]) {
    executed.length = 0;
    await call();
    expect(executed.filter((sql) => sql.startsWith("PRAGMA"))).toEqual(pragmas);
    expect(executed).toHaveLength(4);
  }
  // setup() would end the rollback journal mode.
  await driver.setup();
  executed.length = 0;
  await driver.load(id);
  expect(executed.filter((sql) => sql.startsWith("PRAGMA busy_timeout ="))).toHaveLength(0);
});

test.each([
  ["with no statistics", () => {}],
  [
    "with those of a table that was small, and had one user",
    (client: Database.Database) => {
      const insert = client.prepare("INSERT INTO sessions VALUES (?, 'alice', 1, 1, '{}')");
      for (let i = 0; i < 10; i++) insert.run(newId());
      client.exec("ANALYZE");
    },
  ],
])("no statement reads the whole table or sorts, and sweep goes by the expiry: %s", async (_, prepare) => {
  const backend = await traced();
  prepare(backend.client);
  const planner = openFile(backend.path);
  for (const { name, statements } of await everyCall(backend))
    for (const sql of statements) {
      const rows: unknown[] = planner.prepare(`EXPLAIN QUERY PLAN ${sql}`).pluck(false).raw().all();
      const plan = rows.map((row) => String(Object(row)[3])).join("\n");
      expect(plan, name).not.toMatch(/SCAN main.sessions|TEMP B-TREE/);
      if (name === "sweep")
        expect(plan).toMatch(
          /SEARCH main.sessions USING INDEX sessions_by_expiry \(expires_at>\? AND expires_at<\?\)/,
        );
      if (name === "list of a principal")
        expect(plan).toMatch(/sessions_by_principal \(principal=\? AND id>\?\)/);
    }
});

describe("bytes to the journal for changing one value of 20 bytes", () => {
  // SQLite writes the whole row again, into the journal of a local file.
  test.each([1_000, 100_000])("where the session holds %i: that, and two pages at most", async (size) => {
    const { path, client, driver } = await traced();
    const fields = new Map(Array.from({ length: size / 100 }, (_, i) => [`a/${i}`, "x".repeat(90)]));
    const id = await begin(driver, { fields: new Map([["cart/items", "x".repeat(20)], ...fields]) });
    client.pragma("wal_checkpoint(TRUNCATE)");
    await driver.commit(id, { fields: new Map([["cart/items", "y".repeat(21)]]) }, Date.now());
    const { size: written } = statSync(`${path}-wal`);
    console.log(`one value of 20 bytes in a session of ${size}: ${written} bytes in the journal`);
    expect(written).toBeLessThanOrEqual(size * 1.1 + 2 * 4_096);
  });
});
