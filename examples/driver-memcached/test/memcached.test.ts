import { startProxy } from "@sessions/conformance/proxy";
import { createSessionManager, isSessionError, type NewRecord } from "@sessions/core";
import { service } from "@sessions/test-services";
import { startMemcachedServer } from "@sessions/test-services/memcached";
import { MemcacheClient } from "memcache-client";
import { describe, expect, onTestFinished, test } from "vitest";
import { fromUrl, type MemcachedClientLike, memcachedDriver } from "../src/index.ts";

const server = service("memcached");
const HOUR = 3_600_000;
const now = Date.now();
const record = (text = "1"): NewRecord => ({ expiresAt: now + HOUR, fields: new Map([["s/k", text]]) });
const idOf = (n: number) => n.toString(16).padStart(32, "0");
const write = { fields: new Map([["s/k", "2"]]) };

function connect(address: string): MemcacheClient {
  const client = new MemcacheClient({ server: address });
  onTestFinished(() => client.shutdown());
  return client;
}
const prefix = () => `t${Math.random().toString(36).slice(2)}:`;

describe("options that cannot work are refused, by name", () => {
  const client = { gets() {}, add() {}, cas() {}, version() {} };
  const wrong: [string, unknown, RegExp][] = [
    ["no client", {}, /client must be a MemcacheClient of memcache-client/],
    ["an unknown option", { client, ttl: 5 }, /memcachedDriver: unknown option "ttl"/],
    ["a prefix with a space", { client, prefix: "a b" }, /prefix/],
    ["no time", { client, timeout: "soon" }, /timeout/],
  ];
  test.each(wrong)("%s", (_, options, message) => {
    expect(() => Reflect.apply(memcachedDriver, undefined, [options])).toThrow(message);
  });

  test.each([
    "redis://host",
    "memcached:host",
    "memcached://me:secret@host",
    "memcached://host?prefix=secret",
  ])("the URL %s, which no message shows", async (url) => {
    const error: unknown = await (async () => fromUrl(url))().catch((error: unknown) => error);
    expect(isSessionError(error, "ERR_SESSION_CONFIG")).toBe(true);
    expect(String(error)).not.toContain("secret");
  });
});

describe.skipIf(!server)("on a server", () => {
  const url = server?.url ?? "memcached://127.0.0.1:1";
  const address = new URL(url).host || url.slice("memcached://".length);

  test("a read takes one round trip, a change two", async () => {
    const proxy = await startProxy(url);
    onTestFinished(proxy.close);
    const driver = memcachedDriver({ client: connect(`${proxy.host}:${proxy.port}`), prefix: prefix() });
    const trips: number[] = [];
    for (const call of [
      () => driver.create(idOf(1), record(), now),
      () => driver.load(idOf(1)),
      () => driver.commit(idOf(1), write, now),
      () => driver.destroy(idOf(1), now),
    ]) {
      const before = proxy.roundTrips();
      await call();
      trips.push(proxy.roundTrips() - before);
    }
    expect(trips).toEqual([2, 1, 2, 2]);
  });

  test("an item ends an hour after its session, and without end where Memcached counts no further", async () => {
    const lifetimes: unknown[] = [];
    const client = connect(address);
    const watched: MemcachedClientLike = Object.assign(Object.create(client), {
      add: (key: string, value: Buffer, about: { lifetime: number }) => {
        lifetimes.push(about.lifetime);
        return client.add(key, value, about);
      },
    });
    const driver = memcachedDriver({ client: watched, prefix: prefix() });
    const days = [0, 1, 29, 30, 400];
    for (const [n, day] of days.entries())
      await driver.create(idOf(n), { ...record(), expiresAt: now + day * 24 * HOUR }, now);
    expect(lifetimes).toEqual([3600, 25 * 3600, (29 * 24 + 1) * 3600, 0, 0]);
    expect(await driver.load(idOf(4))).toBeDefined();
  });

  test("a full server takes sessions away whole, and what it took stays gone", async () => {
    const small = await startMemcachedServer(["-m", "8"]);
    onTestFinished(() => small.stop());
    const driver = memcachedDriver({ client: connect(`${small.host}:${small.port}`) });
    const ids = Array.from({ length: 40 }, (_, n) => idOf(n));
    for (const id of ids) await driver.create(id, record("x".repeat(500_000)), now);
    const there = await Promise.all(ids.map((id) => driver.load(id)));
    const evicted = ids.filter((_, n) => there[n] === undefined);
    expect(evicted.length).toBeGreaterThan(0);
    for (const found of there) if (found) expect(found.fields.get("s/k")).toHaveLength(500_000);
    for (const id of evicted) {
      expect(await driver.commit(id, write, now)).toBe("gone");
      expect(await driver.destroy(id, now)).toBe(false);
      expect(await driver.load(id)).toBeUndefined();
    }
  });

  test("a change that was late is not made afterwards", async () => {
    const client = connect(address);
    const at = prefix();
    await memcachedDriver({ client, prefix: at }).create(idOf(1), record(), now);
    let answer = () => {};
    const slow: MemcachedClientLike = Object.assign(Object.create(client), {
      gets: async (key: string) => {
        const item = await client.gets(key);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return item;
      },
    });
    const late = memcachedDriver({ client: slow, prefix: at, timeout: 50 });
    await expect(late.commit(idOf(1), write, now)).rejects.toThrow(/may or may not have been made/);
    answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await memcachedDriver({ client, prefix: at }).load(idOf(1)))?.version).toBe(1);
  });

  test("by a URL, and nobody can be logged out everywhere", async () => {
    const driver = await fromUrl(url, { prefix: prefix() });
    const sessions = createSessionManager({ driver });
    const error: unknown = await sessions.destroyAll({ principal: "ada" }).catch((error: unknown) => error);
    expect(isSessionError(error, "ERR_SESSION_UNSUPPORTED")).toBe(true);
    await sessions.close();
  });
});
