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

  test.each<[string, (url: string) => Promise<{ client: AnyRedisClientLike; send(name: string): unknown }>]>([
    [
      "redis",
      async (url) => {
        const client = await connect(url);
        return { client, send: (name) => client.sendCommand([name]) };
      },
    ],
    [
      "ioredis",
      async (url) => {
        const client = ioredis(url);
        return { client, send: (name) => client.call(name) };
      },
    ],
  ])(
    "in a MULTI of the application (%s) every call is DriverUnavailableError, and never nothing",
    async (_, open) => {
      const { client, send } = await open(redis.url);
      const driver = redisDriver({ client, prefix: `${newId()}:` });
      const id = await begin(driver, { principal: "alice" });
      await send("MULTI");
      const now = Date.now();
      const fields = new Map([["a/x", "1"]]);
      for (const call of [
        () => driver.load(id),
        () => driver.create(newId(), { expiresAt: now + 1000, fields }, now),
        () => driver.commit(id, { fields }, now),
        () => driver.destroy(id, now),
        () => driver.list({ limit: 9 }, now),
        () => driver.list({ limit: 9, principal: "alice" }, now),
      ])
        await expect(call()).rejects.toMatchObject({
          code: "ERR_SESSION_UNAVAILABLE",
          message: expect.stringMatching(/has a MULTI open .* may still be executed/),
        });
      await send("DISCARD");
      expect((await driver.load(id))?.version).toBe(1);
    },
  );

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
