import { startProxy } from "@sessions/conformance/proxy";
import { testBytes, withService } from "@sessions/driver-tests";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamodbDriver } from "../src/index.ts";
import { begin, clientOf, HOUR, newId, newTable, openGateway, prepare } from "./support.ts";

await withService("dynamodb", async (service) => {
  describe("one round trip, by what a server between counts", () => {
    test("every method is one request, and its name says which", async () => {
      const gateway = await openGateway(service.url);
      const { driver } = await prepare(service.url, { client: clientOf(gateway.url) });
      const now = Date.now();
      const [id, other] = [await begin(driver), await begin(driver, { principal: "alice" })];
      const x = new Map([["a/x", "1"]]);
      const many = new Map(Array.from({ length: 100 }, (_, i) => [`a/${i}`, i % 2 ? null : "1"] as const));
      const large = new Map(Array.from({ length: 2_000 }, (_, i) => [`a/${i}`, "1"] as const));
      const touch = { fields: new Map(), expiresAt: now + 2 * HOUR };
      const expired = { expiresAt: now, fields: x };
      const calls: [string, () => Promise<unknown>, unknown, string[]][] = [
        [
          "create",
          () => driver.create(newId(), { expiresAt: now + HOUR, fields: x }, now),
          true,
          ["PutItem"],
        ],
        ["create that is refused", () => driver.create(id, expired, now), false, ["PutItem"]],
        ["read", async () => (await driver.load(id))?.version, 1, ["GetItem"]],
        ["read of nothing", () => driver.load(newId()), undefined, ["GetItem"]],
        ["write", () => driver.commit(id, { fields: x }, now), "committed", ["UpdateItem"]],
        ["100 fields", () => driver.commit(id, { fields: many }, now), "committed", ["UpdateItem"]],
        ["2,000 fields", () => driver.commit(id, { fields: large }, now), "committed", ["UpdateItem"]],
        ["touch", () => driver.commit(id, touch, now), "committed", ["UpdateItem"]],
        ["login", () => driver.commit(id, { fields: x, principal: "a" }, now), "committed", ["UpdateItem"]],
        ["gone", () => driver.commit(newId(), { fields: x }, now), "gone", ["UpdateItem"]],
        [
          "gone with ifVersion",
          () => driver.commit(newId(), { fields: x, ifVersion: 1 }, now),
          "gone",
          ["UpdateItem"],
        ],
        ["conflict", () => driver.commit(id, { fields: x, ifVersion: 99 }, now), "conflict", ["UpdateItem"]],
        ["destroy", () => driver.destroy(other, now), true, ["DeleteItem"]],
        ["destroy of nothing", () => driver.destroy(other, now), false, ["DeleteItem"]],
        ["list", async () => (await driver.list({ limit: 10 }, now)).records.length, 2, ["Scan"]],
        [
          "list of a principal",
          async () => (await driver.list({ principal: "a", limit: 10 }, now)).records.length,
          1,
          ["Query", "BatchGetItem"],
        ],
        [
          "list of an unknown principal",
          async () => (await driver.list({ principal: "b", limit: 10 }, now)).records.length,
          0,
          ["Query"],
        ],
        ["sweep", () => driver.sweep({ after: 0, before: now, limit: 10 }), 0, ["Scan"]],
      ];
      for (const [name, call, answer, requests] of calls) {
        gateway.asked.length = 0;
        expect(await call(), name).toBe(answer);
        expect(gateway.asked, name).toEqual(requests);
      }
    });

    test("reads of records are consistent", async () => {
      const asked: [string | undefined, unknown][] = [];
      const { driver, client } = await prepare(service.url);
      client.middlewareStack.add(
        (next, { commandName }) =>
          (args) => {
            asked.push([commandName, args.input]);
            return next(args);
          },
        { step: "initialize" },
      );
      const now = Date.now();
      await driver.load(await begin(driver, { principal: "alice" }));
      await driver.list({ limit: 10 }, now);
      await driver.list({ principal: "alice", limit: 10 }, now);
      const of = (name: string) => asked.filter(([command]) => command === name).map(([, input]) => input);
      expect(of("GetItemCommand")).toEqual([expect.objectContaining({ ConsistentRead: true })]);
      expect(of("ScanCommand")).toEqual([expect.objectContaining({ ConsistentRead: true })]);
      expect(JSON.stringify(of("BatchGetItemCommand"))).toContain('"ConsistentRead":true');
    });

    test("a touch and a write of fields cost only the item, a login the index too", async () => {
      const { driver, client } = await prepare(service.url);
      const units: unknown[] = [];
      client.middlewareStack.add(
        (next) => async (args) => {
          const answer = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: "INDEXES" } });
          if ("ConsumedCapacity" in answer.output) units.push(answer.output.ConsumedCapacity);
          return answer;
        },
        { step: "initialize" },
      );
      const now = Date.now();
      const id = await begin(driver, { principal: "alice" });
      await driver.load(id);
      await driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now);
      await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, now);
      await driver.commit(id, { fields: new Map(), principal: "bob" }, now);
      const figures = units.map((unit) => {
        const { Table: table, GlobalSecondaryIndexes: indexes } = Object(unit);
        return [table?.CapacityUnits, indexes?.principal?.CapacityUnits ?? 0];
      });
      console.log(`units of table and index: ${JSON.stringify(figures)} (create, read, touch, write, login)`);
      // A change of the principal removes the item from the index and writes it again.
      expect(figures).toEqual([
        [1, 1],
        [1, 0],
        [1, 0],
        [1, 0],
        [1, 2],
      ]);
    });
  });

  const proxy = await startProxy(service.url);
  const client = clientOf(proxy.url);
  const direct = clientOf(service.url);
  const table = newTable();
  beforeAll(() => dynamodbDriver({ client: direct, table }).setup());
  afterAll(async () => {
    await dynamodbDriver({ client: direct, table }).teardown();
    client.destroy();
    direct.destroy();
    await proxy.close();
  });
  testBytes({ open: () => dynamodbDriver({ client, table }), proxy, most: 1_500 });
});
