import { createBackend } from "@sessions/adapter-conformance";
import { type Driver, isSessionError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { redisDriver } from "@sessions/driver-redis";
import { service } from "@sessions/test-services";
import type { BetterAuthOptions } from "better-auth";
import { createClient } from "redis";
import { afterEach, describe, expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { type SecondaryStorage, secondaryStorage } from "../src/index.ts";

const secrets = ["the newest key has at least 32 bytes"];
const older = "an older key that is also long enough";
const redis = service("redis");

afterEach(() => {
  vi.useRealTimers();
});

let namespaces = 0;
async function onRedis(): Promise<Driver> {
  const client = createClient({ url: redis?.url ?? "" });
  await client.connect();
  const driver = redisDriver({ client, prefix: `better-auth-test-${process.pid}-${namespaces++}:` });
  onTestFinished(async () => {
    await driver.teardown?.();
    client.destroy();
  });
  return driver;
}

/** A session as better-auth keeps it. */
const session = (token: string, userId: string, more: object = {}): string =>
  JSON.stringify({
    session: { token, userId, expiresAt: "2100-01-01T00:00:00.000Z", ...more },
    user: { id: userId },
  });

const listed = async (storage: SecondaryStorage, userId: string): Promise<unknown[]> => {
  const list: { token: string }[] = JSON.parse((await storage.get(`active-sessions-${userId}`)) ?? "[]");
  return list.map(({ token }) => token).sort();
};

/** Runs `count` calls that overlap. */
const overlapping = <T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

test("fits better-auth's option of the same name", () => {
  expectTypeOf<SecondaryStorage>().toExtend<NonNullable<BetterAuthOptions["secondaryStorage"]>>();
});

describe.each([
  ["memory", async () => memoryDriver(), true],
  ["Redis", onRedis, redis !== undefined],
] as const)("on %s,", (_, open, isThere) => {
  const rule = test.skipIf(!isThere);
  const openStorage = async (): Promise<SecondaryStorage> => secondaryStorage(await open(), { secrets });

  rule("a time to live may be any number: the longest is 50 years, and NaN is none", async () => {
    const storage = await openStorage();
    for (const ttl of [Number.POSITIVE_INFINITY, 1e300, Number.MAX_SAFE_INTEGER, 0.9]) {
      await storage.set(`value ${ttl}`, "1", ttl);
      expect(await storage.get(`value ${ttl}`)).toBe("1");
      await storage.increment(`count ${ttl}`, ttl);
      expect(await storage.increment(`count ${ttl}`, ttl)).toBe(2);
    }
    for (const ttl of [Number.NaN, Number.NEGATIVE_INFINITY, -1, 0]) {
      await storage.set(`value ${ttl}`, "1", ttl);
      expect(await storage.get(`value ${ttl}`)).toBeNull();
      await storage.increment(`count ${ttl}`, ttl);
      expect(await storage.increment(`count ${ttl}`, ttl)).toBe(1);
    }
  });

  rule("a value is read as it was set, is replaced, and is deleted", async () => {
    const storage = await openStorage();
    expect(await storage.get("key")).toBeNull();
    await storage.set("key", "Grüße, 世界", 60);
    expect(await storage.get("key")).toBe("Grüße, 世界");
    await storage.set("key", "");
    expect(await storage.get("key")).toBe("");
    await storage.delete("key");
    await storage.delete("key");
    expect(await storage.get("key")).toBeNull();
    await storage.set("key", "again");
    expect(await storage.get("key")).toBe("again");
  });

  rule(
    "of calls of getAndDelete that overlap, of several processes too, exactly one gets the value",
    async () => {
      const driver = await open();
      const processes = [1, 2].map(() => secondaryStorage(driver, { secrets }));
      await processes[0]?.set("key", "once", 60);
      const values = await overlapping(10, async (index) => processes[index % 2]?.getAndDelete("key"));
      expect(values.filter((value) => value !== null)).toEqual(["once"]);
      expect(await processes[1]?.getAndDelete("key")).toBeNull();
    },
  );

  rule("calls of increment that overlap, of several processes too, count exactly", async () => {
    const driver = await open();
    const processes = [1, 2].map(() => secondaryStorage(driver, { secrets }));
    const counts = await overlapping(40, async (index) => processes[index % 2]?.increment("key", 60));
    expect(counts.sort((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    await processes[0]?.delete("key");
    expect(await processes[1]?.increment("key", 60)).toBe(1);
  });

  rule("the list of a user's sessions is the user's sessions, whatever was written as the list", async () => {
    const storage = await openStorage();
    await overlapping(10, async (index) => {
      const before = await storage.get("active-sessions-ada");
      await storage.set(`token-${index}`, session(`token-${index}`, "ada"), 60);
      await storage.set("active-sessions-ada", before ?? "[]", 60);
    });
    await storage.set("another", session("another", "bob"), 60);
    expect(await listed(storage, "ada")).toEqual(Array.from({ length: 10 }, (_, index) => `token-${index}`));
    await storage.delete("active-sessions-ada");
    await storage.delete("token-3");
    expect(await listed(storage, "ada")).toHaveLength(9);
    expect(await listed(storage, "bob")).toEqual(["another"]);
    expect(await storage.get("active-sessions-nobody")).toBeNull();
  });

  rule("a session that was deleted stays deleted, whatever is written later, and is in no list", async () => {
    const storage = await openStorage();
    await storage.set("token", session("token", "ada"), 60);
    await storage.delete("token");
    await storage.set("token", session("token", "ada", { late: true }), 60);
    expect(await storage.get("token")).toBeNull();
    expect(await storage.getAndDelete("token")).toBeNull();
    expect(await listed(storage, "ada")).toEqual([]);
  });

  rule("a session that is refreshed stays in the list, once", async () => {
    const storage = await openStorage();
    await storage.set("token", session("token", "ada"), 60);
    await storage.set("token", session("token", "ada", { refreshed: true }), 120);
    expect(JSON.parse((await storage.get("token")) ?? "")).toMatchObject({ session: { refreshed: true } });
    expect(await listed(storage, "ada")).toEqual(["token"]);
  });
});

describe("a time to live", () => {
  test("is in seconds; none keeps the value, and 0 or less deletes it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const storage = secondaryStorage(memoryDriver(), { secrets });
    await storage.set("short", "1", 10);
    await storage.set("kept", "2");
    await storage.set("gone", "3");
    await storage.set("gone", "4", 0);
    expect(await storage.get("gone")).toBeNull();
    vi.setSystemTime(Date.now() + 9_999);
    expect(await storage.get("short")).toBe("1");
    vi.setSystemTime(Date.now() + 1);
    expect([await storage.get("short"), await storage.getAndDelete("short")]).toEqual([null, null]);
    vi.setSystemTime(Date.now() + 10 * 365 * 86_400_000);
    expect(await storage.get("kept")).toBe("2");
  });

  test("of a counter begins with its first increment, and is not moved", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const storage = secondaryStorage(memoryDriver(), { secrets });
    expect(await storage.increment("key", 10)).toBe(1);
    vi.setSystemTime(Date.now() + 9_000);
    expect(await storage.increment("key", 10)).toBe(2);
    vi.setSystemTime(Date.now() + 1_000);
    expect(await storage.increment("key", 10)).toBe(1);
  });
});

test("nothing at rest names a key, a user or a value", async () => {
  const driver = memoryDriver();
  const storage = secondaryStorage(driver, { secrets });
  await storage.set("token-of-ada", session("token-of-ada", "ada@example.com"), 60);
  await storage.set("active-sessions-ada@example.com", '[{"token":"token-of-ada"}]', 60);
  await storage.set("verification:reset", "one-time-code");
  const { records } = await driver.list({ limit: 10 }, Date.now());
  const rest = JSON.stringify(records.map(({ fields, ...record }) => ({ ...record, fields: [...fields] })));
  expect(records).toHaveLength(2);
  for (const secret of ["token-of-ada", "ada@example.com", "verification", "one-time-code", ...secrets])
    expect(rest).not.toContain(secret);
});

test("a value that was moved to another key does not open there", async () => {
  const driver = memoryDriver();
  const storage = secondaryStorage(driver, { secrets });
  await storage.set("mine", "Mallory");
  const [record] = (await driver.list({ limit: 1 }, Date.now())).records;
  await storage.set("yours", "Ada");
  const yours = (await driver.list({ limit: 2 }, Date.now())).records.find(({ id }) => id !== record?.id);
  await driver.commit(yours?.id ?? "", { fields: record?.fields ?? new Map() }, Date.now());
  expect(await storage.get("yours")).toBeNull();
});

describe("secrets", () => {
  test("the first encrypts and all decrypt; a value of a secret that is gone counts as absent", async () => {
    const driver = memoryDriver();
    await secondaryStorage(driver, { secrets: [older] }).set("key", "value");
    expect(await secondaryStorage(driver, { secrets: [...secrets, older] }).get("key")).toBe("value");
    expect(await secondaryStorage(driver, { secrets }).get("key")).toBeNull();
  });

  test.each([[[]], [["short"]], [undefined]])("%j is refused, and no message shows a secret", (given) => {
    const make = (): unknown =>
      Reflect.apply(secondaryStorage, undefined, [memoryDriver(), { secrets: given }]);
    expect(make).toThrow(/^secondaryStorage: secrets/);
    expect(make).not.toThrow(/short/);
  });
});

test("a driver that cannot list, a promise of one, and an unknown option are refused", () => {
  const { list: _, ...silent } = memoryDriver();
  const make = (driver: unknown, options: object): unknown =>
    Reflect.apply(secondaryStorage, undefined, [driver, options]);
  expect(() => make(silent, { secrets })).toThrow(/cannot list/);
  expect(() => make(Promise.resolve(memoryDriver()), { secrets })).toThrow(/await/);
  expect(() => make(memoryDriver(), { secret: older })).toThrow(/Did you mean "secrets"/);
});

test("down is an error, and no value is absent because of it", async () => {
  const { driver, down } = createBackend();
  const storage = secondaryStorage(driver, { secrets });
  await storage.set("token", session("token", "ada"), 60);
  for (const method of ["create", "load", "commit", "list"]) down.add(method);
  const calls = [
    storage.get("token"),
    storage.get("active-sessions-ada"),
    storage.set("token", "value"),
    storage.delete("token"),
    storage.getAndDelete("token"),
    storage.increment("key", 60),
  ];
  for (const result of await Promise.allSettled(calls))
    expect(result.status === "rejected" && isSessionError(result.reason, "ERR_SESSION_UNAVAILABLE")).toBe(
      true,
    );
});
