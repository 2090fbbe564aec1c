import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { startRedisCluster } from "@sessions/test-services/redis-cluster";
import { createCluster } from "redis";
import { afterAll, describe, test } from "vitest";
import { redisDriver } from "../src/index.ts";

await withService("redis", async () => {
  const cluster = await startRedisCluster();
  // A proxy in front of each server, so that the test can cut the connection.
  const proxies = await Promise.all(
    cluster.servers.map(({ host, port }) => startProxy(`redis://${host}:${port}`)),
  );
  const addresses = cluster.servers.map(
    ({ host, port }, i) => [`${host}:${port}`, { host, port: proxies[i]?.port ?? 0 }] as const,
  );
  const all = {
    cut: async () => void (await Promise.all(proxies.map((proxy) => proxy.cut()))),
    restore: async () => void (await Promise.all(proxies.map((proxy) => proxy.restore()))),
  };
  const client = createCluster({
    rootNodes: proxies.map(({ url }) => ({ url })),
    nodeAddressMap: Object.fromEntries(addresses),
    // The driver must read from masters all the same.
    useReplicas: true,
    defaults: { socket: { reconnectStrategy: 50 } },
  });
  client.on("error", () => {});
  await client.connect();
  afterAll(async () => {
    client.destroy();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await cluster.stop();
  });

  const open = (namespace: string) => redisDriver({ client, prefix: `${namespace}:`, timeout: 1000 });
  describe("redis: a cluster", () => {
    testDriver({ test, target: { name: "cluster", open, outage: all } });
  });
  describe("redis: a cluster, acknowledged by a replica", () => {
    testDriver({
      test,
      target: {
        name: "cluster with waitReplicas",
        open: (namespace, about) => {
          const timeout = about?.outage ? 1_000 : 4_000;
          return redisDriver({ client, prefix: `${namespace}:`, timeout, waitReplicas: 1 });
        },
        outage: all,
      },
    });
  });
});
