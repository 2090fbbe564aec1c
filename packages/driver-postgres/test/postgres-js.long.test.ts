import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import postgres from "postgres";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { begin, newTable, openPool } from "./support.ts";

await withService("postgres", async (service) => {
  const proxy = await startProxy(service.url);
  const sql = postgres(proxy.url, { backoff: () => 0.1 });
  afterAll(async () => {
    await sql.end({ timeout: 0 });
    await proxy.close();
  });
  const openDriver = async (client: postgres.Sql, timeout: number) => {
    const driver = postgresDriver({ client, table: newTable(), timeout });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    return driver;
  };

  describe("postgres: postgres.js", () => {
    testBrokenLine(() => openDriver(sql, 500), proxy);
    testDriver({
      test,
      target: {
        name: "postgres.js",
        open: (namespace, about) =>
          postgresDriver({ client: sql, table: namespace, timeout: about?.outage ? 1_000 : 10_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  test.each<[string, postgres.Options<Record<string, postgres.PostgresType>>]>([
    ["prepare: false", { prepare: false }],
    ["fetch_types: false", { fetch_types: false }],
    ["names in camel case", { transform: postgres.camel }],
    ["names in Pascal case", { transform: postgres.pascal }],
    ["numbers as BigInt", { types: { bigint: postgres.BigInt } }],
    [
      "its own parser of texts and JSON",
      {
        types: {
          text: { to: 25, from: [25, 114, 3802], serialize: (it: unknown) => `${it}`, parse: () => "parsed" },
        },
      },
    ],
    ["values transformed", { transform: { undefined: null, value: () => "transformed" } }],
    ["one connection", { max: 1 }],
  ])("%s is harmless", async (_, options) => {
    const client = postgres(service.url, options);
    onTestFinished(() => client.end({ timeout: 0 }));
    const driver = await openDriver(client, 5_000);
    const fields = new Map([
      ["a/1", '"\\'],
      ["__proto__/x", "null"],
    ]);
    const id = await begin(driver, { fields, principal: "alice" });
    expect(await driver.load(id)).toMatchObject({ version: 1, fields, principal: "alice" });
    const now = Date.now();
    const change = new Map([["__proto__/x", null]]);
    expect(await driver.commit(id, { fields: change, ifVersion: 1 }, now)).toBe("committed");
    expect(await driver.commit(id, { fields: change, ifVersion: 1 }, now)).toBe("conflict");
    expect((await driver.list({ principal: "alice", limit: 10 }, now)).records).toMatchObject([
      { id, version: 2, fields: new Map([["a/1", '"\\']]) },
    ]);
    expect(await driver.check()).toEqual([]);
    expect(await driver.destroy(id, now)).toBe(true);
  });

  test("a transaction, a reserved connection, and a client that changes rows or texts are refused", async () => {
    const REFUSED = /client must be .* got a pipeline or a transaction/;
    const rows = postgres(service.url, { transform: { row: () => ({}) } });
    expect(() => postgresDriver({ client: rows })).toThrow(/client must not change rows/);
    const lower = { to: 25, from: [], serialize: (text: string) => text.toLowerCase(), parse: String };
    const texts = postgres(service.url, { types: { lower } });
    expect(() => postgresDriver({ client: texts })).toThrow(/client must send texts as they are/);
    await sql.begin(async (transaction) => {
      // Called as from JavaScript.
      expect(() => postgresDriver({ client: transaction } as never)).toThrow(REFUSED);
    });
    const reserved = await sql.reserve();
    expect(() => postgresDriver({ client: reserved })).toThrow(REFUSED);
    reserved.release();
  });

  test.each<[string, postgres.Options<Record<string, never>>]>([
    ["any server of several", { host: "a,b" }],
    ["a standby", { target_session_attrs: "prefer-standby" }],
    [
      "a standby that takes no writes, as it is not asked",
      { host: "a,b", target_session_attrs: "read-write" },
    ],
  ])("a client that may read from %s is refused", (_, options) => {
    expect(() => postgresDriver({ client: postgres(options) })).toThrow(
      /client must read from the primary alone: .* target_session_attrs: "primary"/,
    );
    const client = postgres({ ...options, target_session_attrs: "primary" });
    expect(() => postgresDriver({ client })).not.toThrow();
  });

  test("a call that is late before a connection is open is not sent, and the connection is not lost", async () => {
    const line = await startProxy(service.url);
    const table = newTable();
    const direct = postgresDriver({ client: openPool(service.url), table });
    await direct.setup();
    const id = await begin(direct);
    const client = postgres(line.url, { max: 1 });
    onTestFinished(async () => {
      await client.end({ timeout: 0 });
      await line.close();
      await direct.teardown();
    });
    line.delay(300);
    const driver = postgresDriver({ client, table, timeout: 200 });
    const change = { fields: new Map([["a/x", "late"]]) };
    await expect(driver.commit(id, change, Date.now())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
    });
    await line.restore();
    const patient = postgresDriver({ client, table, timeout: 20_000 });
    expect((await patient.load(id))?.version).toBe(1);
  });

  test("errors of the server keep the names of table and constraint", async () => {
    const driver = await openDriver(sql, 5_000);
    const table = newTable();
    const refusing = postgresDriver({ client: sql, table });
    await refusing.setup();
    onTestFinished(() => refusing.teardown());
    await sql.unsafe(`ALTER TABLE ${table} ADD CONSTRAINT no_x CHECK (NOT fields ? 'a/refused')`);
    await expect(begin(refusing, { fields: new Map([["a/refused", "secret"]]) })).rejects.toMatchObject({
      cause: { code: "23514", severity: "ERROR", table, constraint: "no_x" },
    });
    expect(await begin(driver)).toBeTypeOf("string");
  });
});
