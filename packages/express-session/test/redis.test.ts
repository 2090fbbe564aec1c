import { redisDriver } from "@sessions/driver-redis";
import { service } from "@sessions/test-services";
import { createClient } from "redis";
import { expect, onTestFinished, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { ask } from "./support.ts";

const redis = service("redis");

/** The store of one process: a client and a driver of its own. */
async function openStore(prefix: string): Promise<ReturnType<typeof expressSessionStore>> {
  const client = createClient({ url: redis?.url ?? "" });
  await client.connect();
  onTestFinished(() => client.destroy());
  return expressSessionStore(redisDriver({ client, prefix }));
}

const cookie = { originalMaxAge: null, expires: null };

test.skipIf(!redis)(
  "two processes on one Redis lose no keys of each other's, and bring back nothing",
  async () => {
    const prefix = `express-session-test-${process.pid}:`;
    const [one, two] = [await openStore(prefix), await openStore(prefix)];
    await ask((done) => one.set("id", { cookie, first: 1 }, done));
    const found = await ask<object>((done) => one.get("id", done));
    const other = await ask<object>((done) => two.get("id", done));
    expect([found, other]).toEqual([
      { cookie, first: 1 },
      { cookie, first: 1 },
    ]);

    await ask((done) => two.set("id", Object.assign(other ?? {}, { b: 2 }), done));
    await ask((done) => one.set("id", Object.assign(found ?? {}, { a: 1 }), done));
    expect(await ask((done) => two.get("id", done))).toEqual({ cookie, first: 1, a: 1, b: 2 });

    await ask((done) => two.destroy("id", done));
    await ask((done) => one.set("id", Object.assign(found ?? {}, { a: 3 }), done));
    expect(await ask((done) => two.get("id", done))).toBeUndefined();
    expect(await ask((done) => two.length(done))).toBe(0);
  },
);
