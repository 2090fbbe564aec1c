import { commitThroughFailover, withService } from "@sessions/driver-tests";
import { startRedisCluster, startRedisReplication } from "@sessions/test-services/redis-cluster";
import { createCluster, createSentinel } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { redisDriver } from "../src/index.ts";

const NOTHING = { lost: 0, conflicts: 0 };

await withService("redis", () => {
  describe("with waitReplicas, the end of the master under load loses nothing that was acknowledged", () => {
    test("in a cluster", async () => {
      const cluster = await startRedisCluster();
      onTestFinished(cluster.stop);
      const client = createCluster({
        rootNodes: cluster.servers.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
        defaults: { socket: { reconnectStrategy: 50 } },
      });
      client.on("error", () => {});
      await client.connect();
      onTestFinished(() => client.destroy());
      const driver = redisDriver({ client, timeout: 1000, waitReplicas: 1 });
      expect(await commitThroughFailover(driver, cluster.killMaster)).toMatchObject(NOTHING);
    });

    test("behind Sentinel", async () => {
      const replication = await startRedisReplication();
      onTestFinished(replication.stop);
      const client = createSentinel({
        name: replication.name,
        sentinelRootNodes: replication.sentinels.map(({ host, port }) => ({ host, port })),
        nodeClientOptions: { socket: { reconnectStrategy: 50 } },
      });
      client.on("error", () => {});
      await client.connect();
      onTestFinished(() => client.destroy());
      const driver = redisDriver({ client, timeout: 1000, waitReplicas: 1 });
      const figures = await commitThroughFailover(driver, async () => {
        await replication.master.stop("SIGKILL");
        await replication.addReplica();
      });
      expect(figures).toMatchObject(NOTHING);
    });
  });
});
