import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { Batch, Decoder, GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { afterAll, describe, expect, test } from "vitest";
import { redisDriver } from "../src/index.ts";
import { begin, newId, startClusterBehindProxies } from "./support.ts";

await withService("redis", async (redis) => {
  const proxy = await startProxy(redis.url);
  const create = (requestTimeout: number) =>
    GlideClient.createClient({
      addresses: [{ host: proxy.host, port: proxy.port }],
      connectionBackoff: { numberOfRetries: 5, factor: 10, exponentBase: 1 },
      requestTimeout,
      defaultDecoder: Decoder.Bytes,
    });
  const client = await create(1_900);
  const hasty = await create(250);
  afterAll(async () => {
    client.close();
    hasty.close();
    await proxy.close();
  });

  test("waitReplicas, a batch, and a client that sends what is late are refused", () => {
    expect(() => redisDriver({ client: hasty, waitReplicas: 1 })).toThrow(
      /waitReplicas must be 0 with this client/,
    );
    expect(() => redisDriver({ client, timeout: 1_900 })).toThrow(
      /client must have a requestTimeout below the driver's timeout of 1900 ms.*got 1900/,
    );
    const batch = new Batch(true) as unknown as GlideClient;
    expect(() => redisDriver({ client: batch })).toThrow(/got a pipeline or a transaction/);
  });

  describe("redis: @valkey/valkey-glide", () => {
    testBrokenLine(() => redisDriver({ client: hasty, prefix: `line_${newId()}:`, timeout: 600 }), proxy);
    testDriver({
      test,
      target: {
        name: "glide",
        open: (namespace, about) =>
          about?.outage
            ? redisDriver({ client: hasty, prefix: `${namespace}:`, timeout: 1_000 })
            : redisDriver({ client, prefix: `${namespace}:`, timeout: 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  // The client learns the servers' addresses from the servers: so they announce those of the proxies.
  const { proxies, outage, stop } = await startClusterBehindProxies(true);
  const createCluster = (requestTimeout: number) =>
    GlideClusterClient.createClient({
      addresses: proxies.map(({ host, port }) => ({ host, port })),
      connectionBackoff: { numberOfRetries: 5, factor: 10, exponentBase: 1 },
      readFrom: "preferReplica",
      requestTimeout,
    });
  const ofCluster = await createCluster(1_900);
  // After an outage it first finds the nodes again, which may take longer than 250 ms.
  const hastyOfCluster = await createCluster(900);
  afterAll(async () => {
    ofCluster.close();
    hastyOfCluster.close();
    await stop();
  });
  describe("redis: @valkey/valkey-glide, a cluster", () => {
    test("no replica is asked, though the client may read from them", async () => {
      const driver = redisDriver({ client: ofCluster, prefix: `reads_${newId()}:`, timeout: 4_000 });
      for (let i = 0; i < 50; i++) await driver.load(await begin(driver));
      const infos = await ofCluster.customCommand(["INFO", "commandstats"], { route: "allNodes" });
      const asked = JSON.stringify(infos).match(/cmdstat_hgetall:/g) ?? [];
      expect(asked).toHaveLength(3);
    });
    testDriver({
      test,
      target: {
        name: "glide",
        open: (namespace, about) =>
          about?.outage
            ? redisDriver({ client: hastyOfCluster, prefix: `${namespace}:`, timeout: 2_000 })
            : redisDriver({ client: ofCluster, prefix: `${namespace}:`, timeout: 4_000 }),
        outage,
      },
    });
  });
});
