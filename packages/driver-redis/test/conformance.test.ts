import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { createClient } from "redis";
import { afterAll, describe, test } from "vitest";
import { redisDriver } from "../src/index.ts";

await withService("redis", async (redis) => {
  const proxy = await startProxy(redis.url);
  const client = createClient({ url: proxy.url, socket: { reconnectStrategy: 50 } });
  client.on("error", () => {});
  await client.connect();
  afterAll(async () => {
    client.destroy();
    await proxy.close();
  });

  describe("redis: one client, RESP3", () => {
    testDriver({
      test,
      target: {
        name: "redis",
        open: (namespace, about) =>
          redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });
});
