import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { service } from "@sessions/test-services";
import { RedisStore } from "connect-redis";
import { createClient } from "redis";
import { afterAll, describe, test } from "vitest";
import { expressSessionExclusions, fromExpressSessionStore, type StoreLike } from "../src/index.ts";
import { oneStoreEach } from "./kit.ts";

const redis = service("redis");
if (redis) {
  const proxy = await startProxy(redis.url);
  const client = createClient({ url: proxy.url, socket: { reconnectStrategy: 50 } });
  client.on("error", () => {});
  await client.connect();
  afterAll(async () => {
    client.destroy();
    await proxy.close();
  });
  const newStore = (namespace: string): StoreLike => new RedisStore({ client, prefix: `${namespace}:` });
  const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };

  describe("connect-redis, in one process", () => {
    const storeOf = oneStoreEach(newStore);
    testDriver({
      test,
      target: {
        name: "connect-redis",
        open: (namespace) => fromExpressSessionStore(storeOf(namespace), { timeout: 1000 }),
        outage,
      },
    });
  });

  // Two stores know as little of each other as two processes do.
  describe("connect-redis, in several processes", () => {
    testDriver({
      test,
      target: {
        name: "connect-redis",
        open: (namespace) => fromExpressSessionStore(newStore(namespace), { timeout: 1000 }),
        outage,
        exclude: expressSessionExclusions,
      },
    });
  });
}
