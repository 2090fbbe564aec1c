import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { startRedisCluster } from "@sessions/test-services/redis-cluster";
import { Batch, Decoder, GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { afterAll, describe, expect, test } from "vitest";
import { type AnyRedisClientLike, redisDriver } from "../src/index.ts";
import { begin, newId } from "./support.ts";

const connectionBackoff = { numberOfRetries: 5, factor: 10, exponentBase: 1 };

await withService("redis", async (redis) => {
  const proxy = await startProxy(redis.url);
  const client = await GlideClient.createClient({
    addresses: [{ host: proxy.host, port: proxy.port }],
    connectionBackoff,
    requestTimeout: 4_000,
    defaultDecoder: Decoder.Bytes,
  });
  afterAll(async () => {
    client.close();
    await proxy.close();
  });

  const open = (one: AnyRedisClientLike) => (namespace: string, about?: { outage: boolean }) =>
    redisDriver({ client: one, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000 });

  test("waitReplicas and a batch are refused", () => {
    expect(() => redisDriver({ client, waitReplicas: 1 })).toThrow(/waitReplicas must be 0 with this client/);
    const batch = new Batch(true) as unknown as GlideClient;
    expect(() => redisDriver({ client: batch })).toThrow(/got a pipeline or a transaction/);
  });

  describe("redis: @valkey/valkey-glide", () => {
    testBrokenLine(() => redisDriver({ client, prefix: `line_${newId()}:`, timeout: 300 }), proxy);
    testDriver({
      test,
      target: {
        name: "glide",
        open: open(client),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  // A cluster's client learns the servers' own addresses, and no proxy can stand before them: no outage.
  const cluster = await startRedisCluster();
  const ofCluster = await GlideClusterClient.createClient({
    addresses: cluster.servers.map(({ host, port }) => ({ host, port })),
    readFrom: "preferReplica",
    requestTimeout: 4_000,
  });
  afterAll(async () => {
    ofCluster.close();
    await cluster.stop();
  });
  describe("redis: @valkey/valkey-glide, a cluster", () => {
    test("no replica is asked, though the client may read from them", async () => {
      const driver = redisDriver({ client: ofCluster, prefix: `reads_${newId()}:` });
      for (let i = 0; i < 50; i++) await driver.load(await begin(driver));
      const infos = await ofCluster.customCommand(["INFO", "commandstats"], { route: "allNodes" });
      const asked = JSON.stringify(infos).match(/cmdstat_hgetall:/g) ?? [];
      expect(asked).toHaveLength(3);
    });
    testDriver({ test, target: { name: "glide", open: open(ofCluster) } });
  });
});
