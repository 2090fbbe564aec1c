import { withService } from "@sessions/driver-tests";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AnyRedisClientLike, redisDriver } from "../src/index.ts";
import { begin, connect, newId, ownServer } from "./support.ts";

function ioredis(url: string, options: object = {}): Redis {
  const client = new Redis(url, options);
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

await withService("redis", async (redis) => {
  describe("a client that subscribes after the driver was made is DriverUnavailableError, with the reason", () => {
    test("ioredis", async () => {
      const client = ioredis(redis.url);
      const driver = redisDriver({ client });
      const id = await begin(driver);
      await client.subscribe(newId());
      await expect(driver.load(id)).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
        message: expect.stringContaining("the client has subscribed"),
      });
    });

    test("redis with RESP2", async () => {
      const client = await createClient({ url: redis.url, RESP: 2 }).connect();
      onTestFinished(() => client.destroy());
      const driver = redisDriver({ client });
      const id = await begin(driver);
      await client.subscribe(newId(), () => {});
      await expect(driver.load(id)).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
        message: expect.stringContaining("the client has subscribed"),
      });
    });
  });

  test("redis with RESP3 goes on while it has subscribed", async () => {
    const client = await connect(redis.url);
    await client.subscribe(newId(), () => {});
    const driver = redisDriver({ client });
    const id = await begin(driver);
    expect((await driver.load(id))?.version).toBe(1);
  });

  test.each([{ role: "slave" }, { readOnly: true }])(
    "ioredis with %j is refused: it reads from a replica",
    (options) => {
      const client = ioredis(redis.url, { ...options, lazyConnect: true });
      expect(() => redisDriver({ client })).toThrow(/client must be one of a master/);
    },
  );

  test.each<[string, (url: string) => Promise<AnyRedisClientLike>]>([
    ["redis", (url) => connect(url)],
    ["ioredis", async (url) => ioredis(url)],
  ])("a client of a replica (%s) cannot write, and check() says so", async (_, open) => {
    const { port } = new URL(redis.url);
    const { url } = await ownServer(["--replicaof", `127.0.0.1 ${port}`]);
    const driver = redisDriver({ client: await open(url) });
    await expect(begin(driver)).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      message: expect.stringMatching(/READONLY|MASTERDOWN/),
    });
    expect((await driver.check())[0]).toMatch(/READONLY|MASTERDOWN/);
  });
});
