import { type Target, testDriver } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { createCluster } from "redis";
import { afterAll, describe, test } from "vitest";
import { redisDriver } from "../src/index.ts";
import { startClusterBehindProxies } from "./support.ts";

await withService("redis", async () => {
  const { proxies, addresses, outage, stop } = await startClusterBehindProxies();
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
    await stop();
  });

  const open =
    (waitReplicas: number): Target["open"] =>
    (namespace, about) =>
      redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000, waitReplicas });
  describe("redis: a cluster", () => {
    testDriver({ test, target: { name: "cluster", open: open(0), outage } });
  });
  describe("redis: a cluster, acknowledged by a replica", () => {
    testDriver({
      test,
      target: {
        name: "cluster with waitReplicas",
        open: open(1),
        outage,
      },
    });
  });
});
