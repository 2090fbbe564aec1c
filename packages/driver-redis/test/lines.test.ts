import { setTimeout } from "node:timers/promises";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { startRedisServer } from "@sessions/test-services/redis";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type AnyRedisClientLike, type RedisClientLike, redisDriver } from "../src/index.ts";
import { begin, connect, newId, ownServer } from "./support.ts";

await withService("redis", async (redis) => {
  const proxy = await startProxy(redis.url);
  const socket = { reconnectStrategy: 20 };
  const clients = {
    "one client": createClient({ url: proxy.url, socket }),
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

  describe.each(Object.entries(clients))("%s", (_, client) => {
    testBrokenLine(() => redisDriver({ client, prefix: `line_${newId()}:`, timeout: 300 }), proxy);
  });

  test("a server that lost the scripts gets them again", async () => {
    const { server, client } = await ownServer();
    const driver = redisDriver({ client });
    const id = await begin(driver);
    await client.scriptFlush();
    const change = { fields: new Map([["a/x", "1"]]) };
    expect(await driver.commit(id, change, Date.now())).toBe("committed");

    await server.stop("SIGKILL");
    const again = await startRedisServer([], server.port);
    onTestFinished(() => again.stop("SIGKILL"));
    const fresh = await vi.waitFor(() => begin(driver), { timeout: 10_000 });
    expect(await driver.commit(fresh, change, Date.now())).toBe("committed");
    expect((await driver.load(fresh))?.version).toBe(2);
  });

  describe("a client that was never connected is DriverUnavailableError, in time, and never nothing", () => {
    const address = { host: "127.0.0.1", port: Number(new URL(redis.url).port) };
    const { url } = redis;
    test.each<[string, AnyRedisClientLike]>([
      ["one client", createClient({ url })],
      ["a pool", createClientPool({ url })],
      ["a cluster", createCluster({ rootNodes: [{ url }] })],
      ["Sentinel", createSentinel({ name: "sessions", sentinelRootNodes: [address] })],
    ])("%s", async (_, client) => {
      for (const waitReplicas of [0, 1]) {
        const driver = redisDriver({ client, timeout: 300, waitReplicas });
        const now = Date.now();
        const calls = {
          setup: () => driver.setup(),
          check: () => driver.check(),
          teardown: () => driver.teardown(),
          create: () => begin(driver, { principal: "alice" }),
          load: () => driver.load(newId()),
          list: () => driver.list({ limit: 10 }, now),
          sweep: () => driver.sweep({ after: 0, before: now, limit: 10 }),
        };
        for (const [name, call] of Object.entries(calls)) {
          const begun = performance.now();
          const error = await call().catch((reason: unknown) => reason);
          expect(error, name).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
          expect(performance.now() - begun, name).toBeLessThan(3 * 300);
        }
      }
    });
  });

  test("a write has one timeout for its principal's set and its record together", async () => {
    const { client } = await ownServer();
    const withdrawn: Promise<number>[] = [];
    const slow: RedisClientLike = {
      async sendCommand(args, options) {
        if (!args[0]?.startsWith("EVAL")) return client.sendCommand(args, options);
        const { abortSignal } = options ?? {};
        // Three quarters of 400 milliseconds. A timer, because the test is about time.
        if (withdrawn.length === 0) await setTimeout(300);
        else await new Promise((resolve) => abortSignal?.addEventListener("abort", resolve, { once: true }));
        withdrawn.push(Promise.resolve(performance.now()));
        return client.sendCommand(["EVAL", "return 1", "0"]);
      },
    };
    const begun = performance.now();
    const driver = redisDriver({ client: slow, timeout: 400 });
    await expect(begin(driver, { principal: "alice" })).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
    });
    const [, record = 0] = await Promise.all(withdrawn);
    // A time of its own would be 400 milliseconds; only a quarter of that was left.
    expect(record).toBeGreaterThan(begun);
    expect(record - begun).toBeLessThan(600);
  });

  test("what waited for a pool's connection until its time was over is not done later", async () => {
    const line = await startProxy(redis.url);
    onTestFinished(line.close);
    const pool = createClientPool({ url: line.url, socket }, { minimum: 1, maximum: 1 });
    pool.on("error", () => {});
    await pool.connect();
    onTestFinished(() => pool.destroy());
    const driver = redisDriver({ client: pool, prefix: `line_${newId()}:`, timeout: 300 });
    const id = await begin(driver);
    // From here on the server knows the script.
    await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, Date.now());
    const busy = pool.blPop(`line_${newId()}`, 10).catch(() => {});
    const late = driver.commit(id, { fields: new Map([["a/x", "late"]]) }, Date.now());
    // After half of its time it gets the connection, which is broken. A timer, because the test is about time.
    await setTimeout(150);
    await line.cut();
    await busy;
    await expect(late).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    await line.restore();
    // On the same connection, and so after the late commit.
    await vi.waitFor(() => begin(driver), { timeout: 10_000 });
    expect((await driver.load(id))?.fields.get("a/x")).toBe("1");
  });

  test("a write is refused where too few replicas have it, and may have been made", async () => {
    const { url, client } = await ownServer();
    const single = redisDriver({ client });
    const id = await begin(single);
    await single.commit(id, { fields: new Map([["a/x", "0"]]) }, Date.now());
    const waiting = redisDriver({ client: await connect(url), waitReplicas: 1, timeout: 300 });
    await expect(waiting.commit(id, { fields: new Map([["a/x", "1"]]) }, Date.now())).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      message: expect.stringContaining("0 of 1 replicas"),
    });
    expect((await single.load(id))?.version).toBe(3);
    expect((await waiting.load(id))?.version).toBe(3);
  });

  test("redis waits for replicas after the write, although the client sends the newest command first", async () => {
    const { url, client } = await ownServer();
    const asap = await connect(url, { commandOptions: { asap: true } });
    await redisDriver({ client: asap }).destroy(newId(), Date.now());
    const seen: string[] = [];
    await client.monitor((line) => void seen.push(/"(EVALSHA|WAIT)"/.exec(String(line))?.[1] ?? ""));
    const waiting = redisDriver({ client: asap, waitReplicas: 1, timeout: 300 });
    await expect(waiting.destroy(newId(), Date.now())).rejects.toThrow("0 of 1 replicas");
    await vi.waitFor(() => expect(seen.filter(Boolean).slice(0, 2)).toEqual(["EVALSHA", "WAIT"]));
  });
});
