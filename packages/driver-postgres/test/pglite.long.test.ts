import { PGlite } from "@electric-sql/pglite";
import { testDriver } from "@sessions/conformance";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { begin, newTable } from "./support.ts";

const database = await PGlite.create();
afterAll(() => database.close());

describe("postgres: PGlite", () => {
  testDriver({
    test,
    target: {
      name: "pglite",
      open: (namespace) => postgresDriver({ client: database, table: namespace, timeout: 20_000 }),
    },
  });
});

test("a call that is late while the application has a transaction changes nothing", async () => {
  const driver = postgresDriver({ client: database, table: newTable(), timeout: 200 });
  await driver.setup();
  onTestFinished(() => driver.teardown());
  const id = await begin(driver);
  await database.transaction(async (transaction) => {
    // Called as from JavaScript.
    expect(() => postgresDriver({ client: transaction } as never)).toThrow(/got a pipeline or a transaction/);
    const change = { fields: new Map([["a/x", "late"]]) };
    await expect(driver.commit(id, change, Date.now())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
    });
  });
  expect((await driver.load(id))?.version).toBe(1);
});

test("a call waits for the end of a transaction that the application has begun by a statement", async () => {
  const driver = postgresDriver({ client: database, table: newTable(), timeout: 10_000 });
  await driver.setup();
  onTestFinished(() => driver.teardown());
  const id = await begin(driver);
  await database.query("BEGIN");
  const waiting = driver.commit(id, { fields: new Map([["a/x", "after it"]]) }, Date.now());
  await database.query("SELECT 1");
  await database.query("ROLLBACK");
  expect(await waiting).toBe("committed");
  expect((await driver.load(id))?.fields.get("a/x")).toBe("after it");
});

test("parsers and serializers of the client are harmless", async () => {
  const wild = await PGlite.create({
    parsers: { 20: () => "parsed", 114: () => "parsed", 3802: () => "parsed" },
    serializers: { 20: () => "0", 25: () => "written", 3802: () => "{}" },
  });
  onTestFinished(() => wild.close());
  const driver = postgresDriver({ client: wild });
  await driver.setup();
  const id = await begin(driver, { fields: new Map([["a/x", "1"]]) });
  expect(await driver.load(id)).toMatchObject({ version: 1, fields: new Map([["a/x", "1"]]) });
  expect(await driver.check()).toEqual([]);
});
