import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSessionManager, isSessionError, type NewRecord } from "@sessions/core";
import { ClassicLevel } from "classic-level";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { levelDriver } from "../src/index.ts";

const folder = await mkdtemp(join(tmpdir(), "sessions-level-"));
const client = new ClassicLevel(folder);
const driver = levelDriver({ client });
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
    ["an option that is unknown", { client, ttl: 5 }, /levelDriver: unknown option "ttl"/],
  ];
  test.each(wrong)("%s", (_, options, message) => {
    // Called as from JavaScript, without a check of types.
    expect(() => Reflect.apply(levelDriver, undefined, [options])).toThrow(message);
  });
});

test("what leads to a record goes where the record goes", async () => {
  await driver.create(a, record, now);
  await driver.commit(a, { fields: new Map(), expiresAt: now + 2 * HOUR, principal: "bob" }, now);
  expect(await client.keys().all()).toHaveLength(3);
  await driver.destroy(a, now);
  await driver.create(b, record, now);
  await driver.commit(b, { fields: new Map(), expiresAt: now - 1 }, now);
  expect(await driver.sweep({ after: 0, before: now, limit: 10 })).toBe(1);
  expect(await client.keys().all()).toEqual([]);
});

test("sweeps find every one in their range, each as many as it may", async () => {
  const ids = Array.from({ length: 250 }, (_, i) => i.toString(16).padStart(32, "0"));
  await Promise.all(ids.map((id, i) => driver.create(id, { ...record, expiresAt: now + i }, now - 1)));
  expect(await driver.sweep({ after: now + 10, before: now + 240, limit: 120 })).toBe(120);
  expect(await driver.sweep({ after: now + 10, before: now + 240, limit: 1_000 })).toBe(110);
  expect((await driver.list({ limit: 1_000 }, now)).records).toHaveLength(20);
});

test("an error of LevelDB is DriverUnavailableError, with LevelDB's own as its cause", async () => {
  await client.close();
  const error: unknown = await driver.load(a).catch((error: unknown) => error);
  await client.open();
  expect(isSessionError(error, "ERR_SESSION_UNAVAILABLE")).toBe(true);
  expect(error).toMatchObject({ cause: { code: "LEVEL_DATABASE_NOT_OPEN" } });
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

test("a database that is open cannot be opened again: nobody is outside the lock", async () => {
  const second = new ClassicLevel(folder);
  await expect(second.open()).rejects.toMatchObject({ cause: { code: "LEVEL_LOCKED" } });
});

test("where an empty folder is no database, a disk that is not mounted logs nobody out", async () => {
  const unmounted = new ClassicLevel(join(folder, "empty"), { createIfMissing: false });
  const load = levelDriver({ client: unmounted }).load(a);
  await expect(load).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
});
