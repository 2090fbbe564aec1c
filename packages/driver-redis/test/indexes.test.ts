import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { ListingDriver } from "@sessions/core";
import { sweepBesideCommits, withService } from "@sessions/driver-tests";
import { startRedisServer } from "@sessions/test-services/redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type RedisClientLike, redisDriver } from "../src/index.ts";
import { begin, connect, HOUR, newId, ownServer } from "./support.ts";

const idsOf = async (driver: ListingDriver, principal: string): Promise<string[]> =>
  (await driver.list({ principal, limit: 100 }, Date.now())).records.map(({ id }) => id);

/** The ids in all indexes, found as a person would find them. */
async function indexed(client: Awaited<ReturnType<typeof connect>>): Promise<string[]> {
  const keys = await client.keys("*@*");
  return (await Promise.all(keys.map((key) => client.zRange(key, 0, -1)))).flat();
}

/** The driver's timeout here, and how long an entry without a record is left alone: the server's own clock says so. */
const TIMEOUT = 100;
const pendingIsOver = () => setTimeout(2 * TIMEOUT + 50);

await withService("redis", () => {
  describe("a principal's index", () => {
    test("loses the ids of destroyed and expired records as it is read", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client, timeout: TIMEOUT });
      const destroyed = await begin(driver, { principal: "alice" });
      const expired = await begin(driver, { principal: "alice" });
      const kept = await begin(driver, { principal: "alice" });
      await driver.destroy(destroyed, Date.now());
      // As Redis itself removes it an hour after its expiry.
      await client.del(`sessions:${expired}`);
      expect(await idsOf(driver, "alice")).toEqual([kept]);
      await pendingIsOver();
      expect(await idsOf(driver, "alice")).toEqual([kept]);
      expect(await indexed(client)).toEqual([kept]);
    });

    test("loses them by a sweep where nobody reads it, and ends with its last id", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client, timeout: TIMEOUT });
      const kept = await begin(driver, { principal: "alice" });
      for (const principal of ["alice", "bob", "carol"])
        await driver.destroy(await begin(driver, { principal }), Date.now());
      await pendingIsOver();
      expect(await driver.sweep({ after: 0, before: Date.now(), limit: 1000 })).toBe(0);
      expect(await indexed(client)).toEqual([kept]);
      expect(await client.keys("*@*")).toHaveLength(1);
    });

    test("loses an id that a commit gave to somebody else", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client, timeout: TIMEOUT });
      const id = await begin(driver, { principal: "alice" });
      await driver.commit(id, { fields: new Map(), principal: "bob" }, Date.now());
      await pendingIsOver();
      expect(await idsOf(driver, "alice")).toEqual([]);
      expect(await idsOf(driver, "bob")).toEqual([id]);
      expect(await indexed(client)).toEqual([id]);
    });

    test("keeps an id whose record is on its way", async () => {
      const { client, url } = await ownServer();
      const reader = redisDriver({ client: await connect(url) });
      let written = (): void => {};
      const mayWrite = new Promise<void>((resolve) => {
        written = resolve;
      });
      // Between the index and the record: the second script of this client waits.
      let scripts = 0;
      const slow: RedisClientLike = {
        async sendCommand(args, options) {
          if (args[0]?.startsWith("EVAL") && !args[1]?.includes("ZADD") && ++scripts === 2) await mayWrite;
          return client.sendCommand(args, options);
        },
      };
      await begin(reader, { principal: "warm up" });
      const writing = begin(redisDriver({ client: slow }), { principal: "alice" });
      await expect.poll(() => indexed(client)).toHaveLength(2);
      expect(await idsOf(reader, "alice")).toEqual([]);
      await reader.sweep({ after: 0, before: Date.now(), limit: 1000 });
      written();
      expect(await idsOf(reader, "alice")).toEqual([await writing].filter(() => true));
    });
  });

  test("a listing passes nothing over where a replica takes the master's place between two pages", async () => {
    const { server, client: master } = await ownServer();
    const follower = await startRedisServer(["--replicaof", `127.0.0.1 ${server.port}`]);
    onTestFinished(() => follower.stop("SIGKILL"));
    const replica = await connect(`redis://127.0.0.1:${follower.port}`);
    let current = master;
    const client: RedisClientLike = { sendCommand: (args, options) => current.sendCommand(args, options) };
    const driver = redisDriver({ client });
    const ids = await Promise.all(Array.from({ length: 600 }, () => begin(driver, { principal: "alice" })));
    await vi.waitFor(async () => expect(await replica.dbSize()).toBe(await master.dbSize()), {
      timeout: 10_000,
    });
    await replica.sendCommand(["REPLICAOF", "NO", "ONE"]);

    for (const query of [{ principal: "alice" }, {}]) {
      current = master;
      const found = new Set<string>();
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await driver.list({ ...query, cursor, limit: 50 }, Date.now());
        for (const { id } of page.records) found.add(id);
        cursor = page.cursor;
        if (++pages === 4) current = replica;
      } while (cursor !== undefined);
      expect(found).toEqual(new Set(ids));
    }
  });

  describe("what Redis removes by itself", () => {
    test("goes an hour after its expiry at least, however wrong the caller's clock is", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      for (const wrong of [-365 * 24 * HOUR, 0, 365 * 24 * HOUR]) {
        const now = Date.now() + wrong;
        const id = newId();
        await driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now);
        // What is left on the server's clock, less the moment that has passed.
        const left = () => client.pTTL(`sessions:${id}`);
        expect(await left()).toBeGreaterThan(2 * HOUR - 60_000);
        expect(await left()).toBeLessThanOrEqual(2 * HOUR);
        await driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now);
        expect(await left()).toBeGreaterThan(3 * HOUR - 60_000);
        await driver.commit(id, { fields: new Map(), expiresAt: now - HOUR }, now);
        expect(await left()).toBeGreaterThan(HOUR - 60_000);
        expect(await left()).toBeLessThanOrEqual(HOUR);
      }
    });
  });

  test("100,000 dead ids among 200,000 records and ids go by sweeps, beside commits, and no commit is lost", async () => {
    const { client, url } = await ownServer([
      "--slowlog-log-slower-than",
      "1000",
      "--slowlog-max-len",
      "1000",
    ]);
    const driver = redisDriver({ client });
    const live: string[] = [];
    const dead = 100_000;
    for (let done = 0; done < dead; done += 1000) {
      const made = Array.from({ length: 1000 }, () => begin(driver));
      live.push(...(await Promise.all(made)));
      // Ten sessions each for ten thousand users: what their records left behind when they went, long ago.
      const left = Array.from({ length: 100 }, (_, i) => {
        const key = `sessions:@${`${done + i}`.padStart(43, "0")}.`;
        const members = Array.from({ length: 10 }, () => ({
          score: 1,
          value: randomBytes(16).toString("hex"),
        }));
        return client.zAdd(key, members);
      });
      await Promise.all(left);
    }
    await client.sendCommand(["SLOWLOG", "RESET"]);
    const writer = redisDriver({ client: await connect(url) });
    // A sweep answers how many records it removed, and here that is none: Redis removes them. So the passes are counted.
    const passes = { count: 0 };
    const counting = {
      ...driver,
      sweep: async (range: Parameters<typeof driver.sweep>[0]) => {
        passes.count++;
        return driver.sweep(range);
      },
    };
    while ((await client.keys("*@*")).length > 0)
      await sweepBesideCommits({
        sweeper: counting,
        writer,
        live: live.slice(0, 1000),
        expired: 0,
        batch: 1000,
      });
    expect(await client.dbSize()).toBe(live.length);
    const slow = await client.sendCommand<[number, number, number, string[]][]>(["SLOWLOG", "GET", "1000"]);
    const longest = slow
      .filter(([, , , [command = ""]]) => command.toUpperCase() !== "KEYS")
      .reduce((most, [, , micros]) => Math.max(most, micros), 0);
    console.log(
      `${dead} dead ids went in ${passes.count} sweeps; the longest command took ${longest / 1000} ms by the server's slow log`,
    );
  });
});
