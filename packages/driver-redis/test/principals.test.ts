import { setTimeout } from "node:timers/promises";
import type { ListingDriver } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { startRedisServer } from "@sessions/test-services/redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type RedisClientLike, redisDriver } from "../src/index.ts";
import { begin, type Client, connect, HOUR, newId, ownServer } from "./support.ts";

const idsOf = async (driver: ListingDriver, principal: string): Promise<string[]> =>
  (await driver.list({ principal, limit: 100 }, Date.now())).records.map(({ id }) => id);

/** The ids in all sets, read straight from the server. */
async function idsInSets(client: Awaited<ReturnType<typeof connect>>): Promise<string[]> {
  const keys = await client.keys("*@*");
  return (await Promise.all(keys.map((key) => client.zRange(key, 0, -1)))).flat();
}

/** The driver's timeout here, and the time for which an id without a record stays, by the server's clock. */
const TIMEOUT = 100;
const pendingIsOver = () => setTimeout(2 * TIMEOUT + 50);

await withService("redis", () => {
  describe("a principal's set", () => {
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
      expect(await idsInSets(client)).toEqual([kept]);
    });

    test("loses them by a sweep where nothing lists it, and ends with its last id", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client, timeout: TIMEOUT });
      const kept = await begin(driver, { principal: "alice" });
      for (const principal of ["alice", "bob", "carol"])
        await driver.destroy(await begin(driver, { principal }), Date.now());
      await pendingIsOver();
      expect(await driver.sweep({ after: 0, before: Date.now(), limit: 1000 })).toBe(0);
      expect(await idsInSets(client)).toEqual([kept]);
      expect(await client.keys("*@*")).toHaveLength(1);
    });

    test("loses an id that a commit gave to another principal", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client, timeout: TIMEOUT });
      const id = await begin(driver, { principal: "alice" });
      await driver.commit(id, { fields: new Map(), principal: "bob" }, Date.now());
      await pendingIsOver();
      expect(await idsOf(driver, "alice")).toEqual([]);
      expect(await idsOf(driver, "bob")).toEqual([id]);
      expect(await idsInSets(client)).toEqual([id]);
    });

    test("keeps an id whose record is on its way", async () => {
      const { client, url } = await ownServer();
      const reader = redisDriver({ client: await connect(url) });
      let written = (): void => {};
      const mayWrite = new Promise<void>((resolve) => {
        written = resolve;
      });
      // Between the set and the record: the second script of this client waits.
      let scripts = 0;
      const slow: RedisClientLike = {
        async sendCommand(args, options) {
          if (args[0]?.startsWith("EVAL") && !args[1]?.includes("ZADD") && ++scripts === 2) await mayWrite;
          return client.sendCommand(args, options);
        },
      };
      await begin(reader, { principal: "warm up" });
      const writing = begin(redisDriver({ client: slow }), { principal: "alice" });
      await expect.poll(() => idsInSets(client)).toHaveLength(2);
      expect(await idsOf(reader, "alice")).toEqual([]);
      await reader.sweep({ after: 0, before: Date.now(), limit: 1000 });
      written();
      expect(await idsOf(reader, "alice")).toEqual([await writing].filter(() => true));
    });
  });

  describe("a principal's set lives", () => {
    const IDLE = 2 * HOUR;
    const life = async (client: Client) => {
      const [key = ""] = await client.keys("*@*");
      return client.pTTL(key);
    };
    /** Lets time pass for the server, which has no other clock. */
    async function pass(client: Client, ms: number): Promise<void> {
      for (const key of await client.keys("*")) await client.pExpire(key, (await client.pTTL(key)) - ms);
    }
    const touch = (driver: ListingDriver, id: string, now: number, left = IDLE) =>
      driver.commit(id, { fields: new Map(), expiresAt: now + left }, now);
    const found = async (driver: ListingDriver, now: number) =>
      (await driver.list({ principal: "alice", limit: 100 }, now)).records.map(({ id }) => id);

    test("as long as a session that is touched and not logged in, and ends by itself", async () => {
      for (const every of [IDLE / 24, IDLE / 10, IDLE / 3, IDLE - 1]) {
        const { client } = await ownServer();
        const driver = redisDriver({ client });
        let now = Date.now();
        const id = newId();
        await driver.create(id, { expiresAt: now + IDLE, principal: "alice", fields: new Map() }, now);
        for (const end = now + 3 * IDLE; now < end; ) {
          now += every;
          await pass(client, every);
          expect(await touch(driver, id, now)).toBe("committed");
          expect(await life(client)).toBeGreaterThan(IDLE);
        }
        expect(await found(driver, now)).toEqual([id]);
        expect(await life(client)).toBeLessThanOrEqual(2 * IDLE + HOUR);
        await pass(client, 2 * IDLE + HOUR);
        expect(await client.dbSize()).toBe(0);
      }
    });

    test("as long, where a process dies between a touch and the set", async () => {
      const every = IDLE / 12;
      for (let dying = 1; dying <= 24; dying++) {
        const { client } = await ownServer();
        const driver = redisDriver({ client });
        const dead: RedisClientLike = {
          sendCommand: async (args, options) => {
            if (args.some((arg) => arg.startsWith("sessions:@"))) throw new Error("the process has died");
            return client.sendCommand(args, options);
          },
        };
        let now = Date.now();
        const id = newId();
        await driver.create(id, { expiresAt: now + IDLE, principal: "alice", fields: new Map() }, now);
        // Touches stop here until the session has almost ended.
        for (let i = 1; i <= dying; i++) {
          now += every;
          await pass(client, every);
          const own = i === dying ? redisDriver({ client: dead }) : driver;
          await touch(own, id, now).catch(() => {});
        }
        await pass(client, IDLE - 1);
        now += IDLE - 1;
        expect((await driver.load(id))?.expiresAt).toBe(now + 1);
        expect(await found(driver, now), `dying at touch ${dying}`).toEqual([id]);
        // The next touch repairs the set.
        await touch(driver, id, now);
        expect(await life(client)).toBeGreaterThan(2 * IDLE);
      }
    });

    test("as long as the longest session in it, whatever comes after", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const now = Date.now();
      await begin(driver, { principal: "alice", expiresAt: now + 100 * HOUR });
      const short = await begin(driver, { principal: "alice", expiresAt: now + HOUR });
      await touch(driver, short, now + HOUR / 2, HOUR);
      expect(await life(client)).toBeGreaterThan(200 * HOUR);
      // A far expiry, by a commit that does not name the principal.
      await touch(driver, short, now, 300 * HOUR);
      expect(await life(client)).toBeGreaterThan(600 * HOUR);
    });

    test("as long as a session that a commit without an expiry gives to the principal", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const now = Date.now();
      const id = await begin(driver, { expiresAt: now + 100 * HOUR });
      await driver.commit(id, { fields: new Map(), principal: "alice" }, now);
      expect(await life(client)).toBeGreaterThan(200 * HOUR);
    });

    test("for ever where it had no time to live before, because some of its ids may need that", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      await begin(driver, { principal: "alice" });
      const [key = ""] = await client.keys("*@*");
      await client.persist(key);
      const id = await begin(driver, { principal: "alice" });
      await touch(driver, id, Date.now(), 5 * IDLE);
      expect(await life(client)).toBe(-1);
    });

    test("again, by a touch, where it was lost", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const id = await begin(driver, { principal: "alice" });
      await client.del(await client.keys("*@*"));
      const now = Date.now();
      await touch(driver, id, now, 2 * HOUR);
      expect(await found(driver, now)).toEqual([id]);
    });

    test("a long one loses dead ids by logins, a few at each, and no live one", async () => {
      const { client } = await ownServer();
      const driver = redisDriver({ client });
      const live = await Promise.all(Array.from({ length: 10 }, () => begin(driver, { principal: "alice" })));
      const [key = ""] = await client.keys("*@*");
      await client.zAdd(
        key,
        Array.from({ length: 1000 }, () => ({ score: 1, value: newId() })),
      );
      // Each login looks at eight ids, and keeps live ones.
      for (let i = 0; i < 150; i++) live.push(await begin(driver, { principal: "alice" }));
      expect(await client.zCard(key)).toBeLessThan(300);
      expect(await client.zRange(key, 0, -1)).toEqual(expect.arrayContaining(live));
    });
  });

  test("a listing passes nothing over where a replica takes the master's place between two pages", async () => {
    const { server, client: master } = await ownServer();
    const follower = await startRedisServer(["--replicaof", `127.0.0.1 ${server.port}`]);
    onTestFinished(() => follower.stop("SIGKILL"));
    const replica = await connect(`redis://127.0.0.1:${follower.port}`);
    let current = master;
    const client: RedisClientLike = { sendCommand: (args, options) => current.sendCommand(args, options) };
    const driver = redisDriver({ client, timeout: "10s" });
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
        // The time left by the server's clock, less the moment that has passed.
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
});
