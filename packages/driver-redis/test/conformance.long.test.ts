import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { createClient, createClientPool } from "redis";
import * as redis5 from "redis-5";
import { afterAll, describe, test } from "vitest";
import { redisDriver } from "../src/index.ts";

await withService("redis", async (redis) => {
  const proxy = await startProxy(redis.url);
  const socket = { reconnectStrategy: 50 };
  const clients = {
    "one client, RESP2": createClient({ url: proxy.url, socket, RESP: 2 }),
    "one client of redis 5": redis5.createClient({ url: proxy.url, socket }),
    "a pool": createClientPool({ url: proxy.url, socket }, { maximum: 4 }),
  };
  for (const client of Object.values(clients)) {
    client.on("error", () => {});
    await client.connect();
  }
  afterAll(async () => {
    for (const client of Object.values(clients)) client.destroy();
    await proxy.close();
  });

  describe.each(Object.entries(clients))("redis: %s", (name, client) => {
    testDriver({
      test,
      target: {
        name,
        open: (namespace, about) =>
          redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });
});
