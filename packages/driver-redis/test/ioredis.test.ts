import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, testRefusals, withService } from "@sessions/driver-tests";
import { Redis, type RedisOptions } from "ioredis";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { redisDriver } from "../src/index.ts";
import { begin, newId, ownServer } from "./support.ts";

/** A client until the end of the test; the loss of its server ends no process. */
function open(url: string, options: RedisOptions = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => 20, ...options });
  client.on("error", () => {});
  return client;
}

await withService("redis", async (redis) => {
  const proxy = await startProxy(redis.url);
  // The settings that would break the most rules, were they used.
  const client = open(proxy.url, {
    keyPrefix: "app:",
    enableAutoPipelining: true,
    maxRetriesPerRequest: null,
    showFriendlyErrorStack: true,
    stringNumbers: true,
  });
  afterAll(async () => {
    client.disconnect();
    await proxy.close();
  });

  describe("redis: ioredis", () => {
    testBrokenLine(() => redisDriver({ client, prefix: `line_${newId()}:`, timeout: 300 }), proxy);

    testDriver({
      test,
      target: {
        name: "ioredis",
        open: (namespace, about) =>
          redisDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1_000 : 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  function own(url: string, options?: RedisOptions): Redis {
    const one = open(url, options);
    onTestFinished(() => one.disconnect());
    return one;
  }

  test("keyPrefix is not used: every driver of the server finds the same keys", async () => {
    const { client: plain, url } = await ownServer();
    const driver = redisDriver({ client: own(url, { keyPrefix: "app:" }) });
    await driver.setup();
    const id = await begin(driver, { principal: "alice" });
    expect((await plain.keys("*")).filter((key) => !key.includes("@")).sort()).toEqual(
      [`sessions:${id}`, "sessions:layout"].sort(),
    );
    expect(await driver.check()).toEqual([]);
    await driver.teardown();
    expect(await plain.keys("*")).toEqual([]);
  });

  test.each([true, false])(
    "a compare-and-set that lost its answer is not sent again (autoResendUnfulfilledCommands: %s)",
    async (autoResendUnfulfilledCommands) => {
      const line = await startProxy(redis.url);
      onTestFinished(line.close);
      const driver = redisDriver({
        client: own(line.url, { autoResendUnfulfilledCommands }),
        prefix: `again_${newId()}:`,
      });
      const id = await begin(driver);
      await driver.commit(id, { fields: new Map([["a/x", "0"]]) }, Date.now());
      await line.drop();
      const change = { fields: new Map([["a/x", "1"]]), ifVersion: 2 };
      await expect(driver.commit(id, change, Date.now())).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
      });
      expect(await driver.load(id)).toMatchObject({ version: 3, fields: new Map([["a/x", "1"]]) });
    },
  );

  test("a client that connects at its first command does so", async () => {
    const driver = redisDriver({
      client: own(redis.url, { lazyConnect: true }),
      prefix: `lazy_${newId()}:`,
    });
    const id = await begin(driver);
    expect((await driver.load(id))?.version).toBe(1);
  });

  test("a client that was closed is DriverUnavailableError at once", async () => {
    const one = own(redis.url);
    const driver = redisDriver({ client: one, prefix: `closed_${newId()}:` });
    await begin(driver);
    one.disconnect();
    await vi.waitFor(() => expect(one.status).toBe("end"));
    await expect(driver.load(newId())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      message: expect.not.stringContaining("no answer within"),
    });
  });

  test("WAIT follows its write on the same connection", async () => {
    const { url, client: plain } = await ownServer();
    const change = { fields: new Map([["a/x", "1"]]) };
    const single = redisDriver({ client: plain });
    const id = await begin(single);
    // From here on the server knows the script.
    await single.commit(id, change, Date.now());
    const driver = redisDriver({ client: own(url), waitReplicas: 1, timeout: 1000 });
    await expect(driver.commit(id, change, Date.now())).rejects.toMatchObject({
      message: expect.stringContaining("0 of 1 replicas"),
    });
    expect((await driver.load(id))?.version).toBe(3);
  });

  test("a subscriber, a pipeline and a transaction are refused", async () => {
    const one = own(redis.url);
    for (const wrong of [one.pipeline(), one.multi()])
      expect(() => redisDriver({ client: wrong as unknown as Redis })).toThrow(
        /client must be .*; got a pipeline or a transaction/,
      );
    await one.subscribe(newId());
    expect(() => redisDriver({ client: one })).toThrow(
      /client must be .* a subscriber: give the driver client\.duplicate/,
    );
  });

  testRefusals(test, [
    {
      what: "a user without permission to write",
      async make() {
        const { client: plain, url } = await ownServer();
        await plain.aclSetUser("app", ["on", ">secret", "~*", "+@all"]);
        const driver = redisDriver({ client: own(url, { username: "app", password: "secret" }) });
        /** The user loses the permission for one call. */
        const refused = async <T>(fields: ReadonlyMap<string, unknown>, call: () => Promise<T>) => {
          if (fields.has("a/refused")) await plain.aclSetUser("app", ["-hset"]);
          return call().finally(() => plain.aclSetUser("app", ["+hset"]));
        };
        return {
          ...driver,
          create: (id, record, now) => refused(record.fields, () => driver.create(id, record, now)),
          commit: (id, change, now) => refused(change.fields, () => driver.commit(id, change, now)),
        };
      },
    },
  ]);
});
