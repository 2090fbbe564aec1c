import { startProxy } from "@sessions/conformance/proxy";
import { isListingDriver } from "@sessions/core";
import { testBytes, withService } from "@sessions/driver-tests";
import { startRedisCluster } from "@sessions/test-services/redis-cluster";
import { createClient, createCluster } from "redis";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { redisDriver } from "../src/index.ts";
import { begin, type Client, HOUR, newId, ownServer } from "./support.ts";

/** The commands that the server executed while the body ran, by its own counters; those inside scripts count too. */
async function asked(client: Client, body: () => Promise<unknown>): Promise<Record<string, number>> {
  await client.configResetStat();
  await body();
  const stats = await client.info("commandstats");
  const calls = [...stats.matchAll(/^cmdstat_([a-z|-]+):calls=(\d+)/gm)]
    .map(([, name = "", count]) => [name, Number(count)] as const)
    .filter(([name]) => !["config|resetstat", "info"].includes(name));
  return Object.fromEntries(calls);
}

await withService("redis", async (redis) => {
  describe("one round trip, by the server's own counters", () => {
    test("load is one HGETALL, whether the record is there or not", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const id = await begin(driver, { fields: new Map([["a/x", "1"]]) });
      expect(await asked(client, () => driver.load(id))).toEqual({ hgetall: 1 });
      expect(await asked(client, () => driver.load(newId()))).toEqual({ hgetall: 1 });
    });

    test("a write, a touch, a gone and a conflict are one script each, and so is destroy", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const id = await begin(driver);
      const now = Date.now();
      const x = new Map([["a/x", "1"]]);
      const many = new Map(Array.from({ length: 100 }, (_, i) => [`a/${i}`, i % 2 ? null : "1"] as const));
      await driver.commit(id, { fields: x }, now);
      await driver.destroy(await begin(driver), now);

      const calls: [string, () => Promise<unknown>, Record<string, number>][] = [
        ["write", () => driver.commit(id, { fields: x }, now), { hmget: 1, hset: 1, hincrby: 1 }],
        [
          "100 fields",
          () => driver.commit(id, { fields: many }, now),
          { hmget: 1, hset: 1, hdel: 1, hincrby: 1 },
        ],
        [
          "touch",
          () => driver.commit(id, { fields: new Map(), expiresAt: now + HOUR }, now),
          { hmget: 1, hset: 1, pexpire: 1 },
        ],
        ["gone", () => driver.commit(newId(), { fields: x, ifVersion: 1 }, now), { hmget: 1 }],
        ["conflict", () => driver.commit(id, { fields: x, ifVersion: 99 }, now), { hmget: 1 }],
        ["destroy", () => driver.destroy(id, now), { hget: 1, del: 1 }],
        ["destroy of none", () => driver.destroy(id, now), { hget: 1 }],
      ];
      for (const [name, call, inside] of calls)
        expect(await asked(client, call), name).toEqual({ evalsha: 1, ...inside });
    });

    test("with a principal, create and commit write the set first: two", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      await begin(driver, { principal: "alice" });
      expect(await asked(client, () => begin(driver, { principal: "alice" }))).toMatchObject({ evalsha: 2 });
    });

    test("a touch of a principal's session is one, and two at most eight times in an idle timeout", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const begun = Date.now();
      for (const hours of [0.5, 1, 24, 72]) {
        const idle = hours * HOUR;
        const id = newId();
        await driver.create(id, { expiresAt: begun + idle, principal: "alice", fields: new Map() }, begun);
        const touches = 200;
        const counts = await asked(client, async () => {
          for (let i = 1; i <= touches; i++) {
            const now = begun + (i * idle) / touches;
            await driver.commit(
              id,
              { fields: new Map(), expiresAt: Math.round(now + idle) },
              Math.round(now),
            );
          }
        });
        const extended = (counts["evalsha"] ?? 0) + (counts["eval"] ?? 0) - touches;
        console.log(
          `${touches} touches in an idle timeout of ${hours} h: ${extended} of them took two round trips`,
        );
        expect(extended).toBeGreaterThanOrEqual(4);
        expect(extended).toBeLessThanOrEqual(8);
      }
      // A write that leaves the expiry alone leaves the set as it is.
      const id = await begin(driver, { principal: "alice" });
      const write = () => driver.commit(id, { fields: new Map([["a/x", "1"]]) }, begun);
      expect(await asked(client, write)).toMatchObject({ evalsha: 1 });
    });

    test("a cluster's replicas are asked nothing, though the client may read from them", async () => {
      const cluster = await startRedisCluster();
      onTestFinished(cluster.stop);
      const client = createCluster({
        rootNodes: cluster.servers.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
        useReplicas: true,
      });
      await client.connect();
      onTestFinished(() => client.destroy());
      const driver = redisDriver({ client });
      for (let i = 0; i < 50; i++) {
        const id = await begin(driver, { principal: "alice" });
        await driver.load(id);
      }
      if (isListingDriver(driver)) await driver.list({ principal: "alice", limit: 10 }, Date.now());
      for (const node of client.replicas) {
        const stats = await (await client.nodeClient(node)).info("commandstats");
        expect(stats).not.toMatch(/cmdstat_(hgetall|zscan|evalsha)/);
      }
    });
  });

  const proxy = await startProxy(redis.url);
  const client = createClient({ url: proxy.url });
  await client.connect();
  afterAll(async () => {
    client.destroy();
    await proxy.close();
  });
  testBytes({ open: () => redisDriver({ client, prefix: `bytes_${newId()}:` }), proxy, most: 600 });
});
