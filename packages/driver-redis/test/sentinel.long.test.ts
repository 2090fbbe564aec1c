import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { startRedisReplication } from "@sessions/test-services/redis-cluster";
import { createSentinel } from "redis";
import { afterAll, describe, test } from "vitest";
import { redisDriver } from "../src/index.ts";
import { newId } from "./support.ts";

await withService("redis", async () => {
  const replication = await startRedisReplication();
  const servers = [replication.master, replication.replica, ...replication.sentinels];
  const proxies = await Promise.all(servers.map(({ host, port }) => startProxy(`redis://${host}:${port}`)));
  const mapped = servers.map(
    ({ host, port }, i) => [`${host}:${port}`, { host, port: proxies[i]?.port ?? 0 }] as const,
  );
  const client = createSentinel({
    name: replication.name,
    sentinelRootNodes: proxies.slice(2).map(({ port }) => ({ host: "127.0.0.1", port })),
    nodeAddressMap: Object.fromEntries(mapped),
    // Replicas to read from; the driver must read from the master all the same.
    replicaPoolSize: 1,
    nodeClientOptions: { socket: { reconnectStrategy: 50 } },
    sentinelClientOptions: { socket: { reconnectStrategy: 50 } },
  });
  client.on("error", () => {});
  await client.connect();
  afterAll(async () => {
    await client.destroy();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await replication.stop();
  });

  const [line] = proxies;
  if (!line) throw new Error("no proxy in front of the master");
  describe.each([0, 1])("behind Sentinel, waitReplicas %i", (waitReplicas) => {
    testBrokenLine(
      () => redisDriver({ client, prefix: `line_${newId()}:`, timeout: 500, waitReplicas }),
      line,
    );
  });

  describe.each([0, 1])("redis: Sentinel, waitReplicas %i", (waitReplicas) => {
    testDriver({
      test,
      target: {
        name: "sentinel",
        open: (namespace, about) => {
          const timeout = about?.outage ? 1_000 : 4_000;
          return redisDriver({ client, prefix: `${namespace}:`, timeout, waitReplicas });
        },
        outage: {
          cut: async () => void (await Promise.all(proxies.map((proxy) => proxy.cut()))),
          restore: async () => void (await Promise.all(proxies.map((proxy) => proxy.restore()))),
          drop: line.drop,
        },
      },
    });
  });
});
