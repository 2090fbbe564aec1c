import { createRequire } from "node:module";
import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { startRedisReplication } from "@sessions/test-services/redis-cluster";
import * as ioredis from "ioredis";
import * as ioredis6 from "ioredis-6";
import * as iovalkey from "iovalkey";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type AnyRedisClientLike, redisDriver } from "../src/index.ts";
import { begin, newId, startClusterBehindProxies } from "./support.ts";

await withService("redis", async (redis) => {
  const line = await startProxy(redis.url);
  const settings = { retryStrategy: () => 20, keyPrefix: "app:" };
  const singles = {
    "ioredis 6, RESP3": new ioredis6.Redis(line.url, settings),
    "ioredis 6, RESP3, its replies": new ioredis6.Redis(line.url, { ...settings, replyMapping: "resp3" }),
    iovalkey: new iovalkey.Redis(line.url, settings),
  };
  for (const client of Object.values(singles)) client.on("error", () => {});
  afterAll(async () => {
    for (const client of Object.values(singles)) client.disconnect();
    await line.close();
  });

  const open =
    (client: AnyRedisClientLike, waitReplicas: number) => (namespace: string, about?: { outage: boolean }) =>
      redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000, waitReplicas });

  describe.each(Object.entries(singles))("redis: %s", (name, single) => {
    testBrokenLine(() => redisDriver({ client: single, prefix: `line_${newId()}:`, timeout: 300 }), line);
    testDriver({
      test,
      target: {
        name,
        open: open(single, 0),
        outage: { cut: line.cut, restore: line.restore, drop: line.drop },
      },
    });
  });

  const { proxies: nodes, addresses, outage, stop } = await startClusterBehindProxies();
  const natMap = Object.fromEntries(addresses);
  const roots = nodes.map(({ host, port }) => ({ host, port }));
  // The driver must read from masters all the same.
  const options = { natMap, scaleReads: "slave", keyPrefix: "app:", enableAutoPipelining: true } as const;
  const clusters = {
    ioredis: new ioredis.Cluster(roots, options),
    "ioredis 6": new ioredis6.Cluster(roots, options),
    iovalkey: new iovalkey.Cluster(roots, options),
  };
  for (const client of Object.values(clusters)) client.on("error", () => {});
  afterAll(async () => {
    for (const client of Object.values(clusters)) client.disconnect();
    await stop();
  });

  describe.each(Object.entries(clusters))("redis: %s, a cluster", (name, client) => {
    test("no replica is asked, though the client may read from them", async () => {
      const driver = redisDriver({ client, prefix: `reads_${newId()}:` });
      const calls = async () => {
        const infos = await Promise.all(client.nodes("slave").map((node) => node.info("commandstats")));
        return infos.map((info) => /cmdstat_hgetall:calls=(\d+)/.exec(info)?.[1] ?? "0");
      };
      const ids: string[] = [];
      for (let i = 0; i < 50; i++) ids.push(await begin(driver));
      // The servers name a replica only once it has data.
      await vi.waitFor(
        () => {
          client.refreshSlotsCache();
          expect(client.nodes("slave")).toHaveLength(3);
        },
        { timeout: 20_000, interval: 200 },
      );
      const before = await calls();
      for (const id of ids) await driver.load(id);
      expect(await calls()).toEqual(before);
    });
    test("no replica is asked either where every master is away", async () => {
      const driver = redisDriver({ client, prefix: `away_${newId()}:`, timeout: 2_000 });
      const id = await begin(driver);
      const masters = nodes.filter(({ port }) =>
        client.nodes("master").some((it) => it.options.port === port),
      );
      expect(masters).toHaveLength(3);
      onTestFinished(outage.restore);
      await Promise.all(masters.map((master) => master.cut()));
      for (let i = 0; i < 5; i++)
        await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      await outage.restore();
      await vi.waitFor(() => driver.load(id), { timeout: 10_000 });
    });
    testDriver({ test, target: { name, open: open(client, 0), outage } });
  });
  test("a cluster's client of ioredis 4 is refused at its first call", async () => {
    const require = createRequire(import.meta.url);
    const { Cluster }: { Cluster: typeof ioredis.Cluster } = require("ioredis-4");
    const client = new Cluster(roots, { natMap });
    onTestFinished(() => client.disconnect());
    await expect(redisDriver({ client }).load(newId())).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: expect.stringContaining("client must be a Cluster of ioredis 5 or 6"),
    });
  });

  describe("redis: ioredis, a cluster, acknowledged by a replica", () => {
    testDriver({ test, target: { name: "ioredis", open: open(clusters.ioredis, 1), outage } });
  });

  const replication = await startRedisReplication();
  const servers = [replication.master, replication.replica, ...replication.sentinels];
  const proxies = await Promise.all(servers.map(({ host, port }) => startProxy(`redis://${host}:${port}`)));
  const sentinel = new ioredis.Redis({
    name: replication.name,
    sentinels: proxies.slice(2).map(({ host, port }) => ({ host, port })),
    natMap: Object.fromEntries(
      servers.map(({ host, port }, i) => [`${host}:${port}`, { host, port: proxies[i]?.port ?? 0 }]),
    ),
    retryStrategy: () => 50,
    sentinelRetryStrategy: () => 50,
  });
  sentinel.on("error", () => {});
  afterAll(async () => {
    sentinel.disconnect();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await replication.stop();
  });
  const [master] = proxies;
  if (!master) throw new Error("no proxy in front of the master");
  describe.each([0, 1])("redis: ioredis, Sentinel, waitReplicas %i", (waitReplicas) => {
    testBrokenLine(
      () => redisDriver({ client: sentinel, prefix: `line_${newId()}:`, timeout: 500, waitReplicas }),
      master,
    );
    testDriver({
      test,
      target: {
        name: "ioredis",
        open: open(sentinel, waitReplicas),
        outage: {
          cut: async () => void (await Promise.all(proxies.map((proxy) => proxy.cut()))),
          restore: async () => void (await Promise.all(proxies.map((proxy) => proxy.restore()))),
          drop: master.drop,
        },
      },
    });
  });
});
