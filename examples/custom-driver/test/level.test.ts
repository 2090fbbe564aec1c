import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSessionManager, isSessionError, type NewRecord } from "@sessions/core";
import { ClassicLevel } from "classic-level";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { levelDriver } from "../src/index.ts";

const folder = await mkdtemp(join(tmpdir(), "sessions-level-"));
const client = new ClassicLevel(folder);
afterAll(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => client.clear());

const HOUR = 3_600_000;
const [a, b] = ["a".repeat(32), "b".repeat(32)];
const now = Date.now();
const record: NewRecord = { expiresAt: now + HOUR, principal: "ada", fields: new Map([["s/k", "1"]]) };

describe("options that cannot work are refused, by name", () => {
  const wrong: [string, unknown, RegExp][] = [
    ["no client", {}, /client must be a database of classic-level/],
    ["a path", { client: folder }, /client must be .*got "string"/],
    // Two of one name would have two locks.
    ["a sublevel", { client: client.sublevel("a") }, /client must be .*no sublevel/],
    ["a prefix with a separator", { client, prefix: "a!b" }, /prefix must be/],
    ["no prefix", { client, prefix: "" }, /prefix must be/],
    ["a timeout of no time", { client, timeout: 0 }, /timeout must be/],
    ["an option that is unknown", { client, ttl: 5 }, /levelDriver: ttl/],
  ];
  test.each(wrong)("%s", (_, options, message) => {
    // As JavaScript would call it.
    expect(() => Reflect.apply(levelDriver, undefined, [options])).toThrow(message);
  });
});

test("in a database without this driver's layout, nothing is read and nothing is written", async () => {
  const driver = levelDriver({ client });
  const calls: (() => Promise<unknown>)[] = [
    () => driver.create(a, record, now),
    () => driver.load(a),
    () => driver.commit(a, { fields: new Map() }, now),
    () => driver.destroy(a, now),
    () => driver.list({ limit: 10 }, now),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_SETUP" });
  expect(await client.keys().all()).toEqual([]);
});

describe("in a database that was set up", () => {
  const driver = levelDriver({ client });
  beforeEach(() => driver.setup());

  test("what leads to a record goes where the record goes", async () => {
    await driver.create(a, record, now);
    await driver.commit(a, { fields: new Map(), expiresAt: now + 2 * HOUR, principal: "bob" }, now);
    expect(await client.keys().all()).toHaveLength(4);
    await driver.destroy(a, now);
    await driver.create(b, record, now);
    await driver.commit(b, { fields: new Map(), expiresAt: now - 1 }, now);
    expect(await driver.sweep({ after: 0, before: now, limit: 10 })).toBe(1);
    expect(await client.keys().all()).toEqual(["sessions!layout"]);
  });

  test("a sweep finds every one in its range, over several pages", async () => {
    const ids = Array.from({ length: 250 }, (_, i) => i.toString(16).padStart(32, "0"));
    await Promise.all(ids.map((id, i) => driver.create(id, { ...record, expiresAt: now + i }, now - 1)));
    expect(await driver.sweep({ after: now + 10, before: now + 240, limit: 120 })).toBe(120);
    expect(await driver.sweep({ after: now + 10, before: now + 240, limit: 1_000 })).toBe(110);
    expect((await driver.list({ limit: 1_000 }, now)).records).toHaveLength(20);
  });

  test("teardown leaves what is not the driver's", async () => {
    const others = ["sessions", "sessions#", "session!x", "sessions2!layout", "~"];
    for (const key of others) await client.put(key, "theirs");
    await driver.create(a, record, now);
    await driver.teardown();
    expect(await client.keys().all()).toEqual(others.sort());
  });

  test("an error of LevelDB is DriverUnavailableError, with LevelDB's own as its cause", async () => {
    await client.close();
    const error: unknown = await driver.load(a).catch((error: unknown) => error);
    await client.open();
    expect(isSessionError(error, "ERR_SESSION_UNAVAILABLE")).toBe(true);
    expect(error).toMatchObject({ cause: { code: "LEVEL_DATABASE_NOT_OPEN" } });
  });

  test("what waited for its turn longer than the timeout is not done later", async () => {
    await driver.create(a, record, now);
    let answer = () => {};
    const stuck = new Promise<void>((resolve) => {
      answer = resolve;
    });
    // As on a disk that does not answer for a while.
    const getMany = async (keys: string[]) => {
      await stuck;
      return Reflect.apply(ClassicLevel.prototype.getMany, client, [keys]);
    };
    Object.defineProperty(client, "getMany", { value: getMany, configurable: true });
    const hasty = levelDriver({ client, timeout: 50 });
    const commit = (text: string) => hasty.commit(a, { fields: new Map([["s/k", text]]) }, now);
    const unavailable = { code: "ERR_SESSION_UNAVAILABLE" };
    const [begun, waiting] = [commit("begun"), commit("waiting")];
    await expect(begun).rejects.toMatchObject(unavailable);
    await expect(waiting).rejects.toMatchObject(unavailable);
    answer();
    // The next one's turn comes when those before it are done.
    expect(await driver.commit(a, { fields: new Map() }, now)).toBe("committed");
    expect(await driver.load(a)).toMatchObject({ version: 2, fields: new Map([["s/k", "begun"]]) });
    Reflect.deleteProperty(client, "getMany");
  });

  test("it serves a manager", async () => {
    const sessions = createSessionManager({ driver });
    const session = await sessions.open(undefined);
    session.store("cart").set("items", ["tea"]);
    session.login("ada");
    const { cookie } = await session.commit();
    const again = await sessions.open(`${cookie?.name}=${cookie?.value}`);
    expect(again.store("cart").get("items")).toEqual(["tea"]);
    expect(await sessions.destroyAll({ principal: "ada" })).toBe(1);
  });
});

test("a database that is open cannot be opened again: nobody is outside the locks", async () => {
  const second = new ClassicLevel(folder);
  await expect(second.open()).rejects.toMatchObject({ cause: { code: "LEVEL_LOCKED" } });
});
