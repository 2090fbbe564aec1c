import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, testRefusals, withService } from "@sessions/driver-tests";
import { startUpstashFront } from "@sessions/test-services/upstash-front";
import { Redis } from "@upstash/redis";
import { createClient } from "redis";
import { afterAll, describe, expect, test } from "vitest";
import { redisDriver } from "../src/index.ts";
import { begin, newId } from "./support.ts";

await withService("redis", async (redis) => {
  const behind = await createClient({ url: redis.url, RESP: 2 }).connect();
  const asked: string[][] = [];
  const front = await startUpstashFront((command) => {
    asked.push(command);
    return behind.sendCommand(command);
  });
  const proxy = await startProxy(front.url);
  // It reads texts as JSON, and tries again where the connection breaks: the driver lets it do neither.
  const client = new Redis({ url: proxy.url, token: front.token, enableTelemetry: false });
  afterAll(async () => {
    await proxy.close();
    await front.close();
    behind.destroy();
  });

  test("the front is as the client expects it", async () => {
    const key = `front_${newId()}`;
    expect(await client.set(key, "Zoë")).toBe("OK");
    expect(await client.get(key)).toBe("Zoë");
    expect(await client.pipeline().get(key).del(key).exec()).toEqual(["Zoë", 1]);
    expect(await client.multi().set(key, "1").del(key).exec()).toEqual(["OK", 1]);
    await expect(client.hset(key, {})).rejects.toThrow(/wrong number of arguments/);
    const stranger = new Redis({ url: front.url, token: "another", enableTelemetry: false });
    await expect(stranger.get(key)).rejects.toThrow(/Unauthorized/);
    const driver = redisDriver({ client: stranger });
    await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  });

  test("texts that look like JSON stay texts, and each call is one request", async () => {
    const driver = redisDriver({ client, prefix: `texts_${newId()}:` });
    const fields = new Map([
      ["a/number", "1.50"],
      ["a/object", '{"a":[1]}'],
      ["a/null", "null"],
      ["a/mark", "\uFEFFmark"],
      ["__proto__/x", "OK"],
    ]);
    const id = await begin(driver, { fields });
    asked.length = 0;
    expect((await driver.load(id))?.fields).toEqual(fields);
    expect(asked.map(([name]) => name)).toEqual(["HGETALL"]);
  });

  test("waitReplicas and a client without an address are refused", () => {
    expect(() => redisDriver({ client, waitReplicas: 1 })).toThrow(/waitReplicas must be 0 with this client/);
    const bare: Redis = Object.create(client, { client: { value: {} } });
    expect(() => redisDriver({ client: bare })).toThrow(/must be made with a URL and a token/);
  });

  describe("redis: @upstash/redis", () => {
    testBrokenLine(() => redisDriver({ client, prefix: `line_${newId()}:`, timeout: 300 }), proxy);
    testDriver({
      test,
      target: {
        name: "upstash",
        // Some cases make hundreds of requests at once, which takes a busy machine seconds.
        open: (namespace, about) =>
          redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 15_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  testRefusals(test, [
    {
      what: "a server that refuses the command",
      async make() {
        const prefix = `refused_${newId()}:`;
        const driver = redisDriver({ client, prefix });
        const wrong = await startUpstashFront(async () => {
          throw new Error("WRONGTYPE Operation against a key holding the wrong kind of value");
        });
        afterAll(() => wrong.close());
        const refusing = redisDriver({
          client: new Redis({ url: wrong.url, token: wrong.token, enableTelemetry: false }),
          prefix,
        });
        return {
          ...driver,
          create: (id, record, now) =>
            (record.fields.has("a/refused") ? refusing : driver).create(id, record, now),
          commit: (id, change, now) =>
            (change.fields.has("a/refused") ? refusing : driver).commit(id, change, now),
        };
      },
    },
  ]);
});
