import { startProxy } from "@sessions/conformance/proxy";
import { isSessionError, type NewRecord } from "@sessions/core";
import { service } from "@sessions/test-services";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EtcdClientLike, etcdClient, etcdDriver, fromUrl } from "../src/index.ts";

const server = service("etcd");
const HOUR = 3_600_000;
const now = Date.now();
const record: NewRecord = { expiresAt: now + HOUR, principal: "ada", fields: new Map([["s/k", "1"]]) };
const idOf = (n: number) => n.toString(16).padStart(32, "0");
const prefix = () => `t${Math.random().toString(36).slice(2)}:`;
const many = (count: number) => new Map(Array.from({ length: count }, (_, n) => [`s/${n}`, "x"]));

describe("options that cannot work are refused, by name", () => {
  const client = { txn() {} };
  const wrong: [string, unknown, RegExp][] = [
    ["no client", {}, /client must be what etcdClient\(url\) makes/],
    ["a URL", { client: "http://localhost:2379" }, /client must be .*got "string"/],
    ["an unknown option", { client, ttl: 5 }, /etcdDriver: unknown option "ttl"/],
    ["a prefix with a slash", { client, prefix: "a/b" }, /prefix/],
  ];
  test.each(wrong)("%s", (_, options, message) => {
    expect(() => Reflect.apply(etcdDriver, undefined, [options])).toThrow(message);
  });

  test.each(["redis://host", "etcd:host", "etcd://me:secret@host", "etcd://host?prefix=secret"])(
    "the URL %s, which no message shows",
    async (url) => {
      const error: unknown = await (async () => fromUrl(url))().catch((error: unknown) => error);
      expect(isSessionError(error, "ERR_SESSION_CONFIG")).toBe(true);
      expect(String(error)).not.toContain("secret");
    },
  );
});

describe.skipIf(!server)("on a server", () => {
  const url = server?.url ?? "etcd://127.0.0.1:1";
  const client = etcdClient(url.replace(/^etcd:/, "http:"));
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  async function keysUnder(at: string): Promise<number> {
    const range = { key: base64(at), range_end: base64(`${at}~`) };
    const { responses = [] } = await client.txn(
      { success: [{ request_range: range }] },
      AbortSignal.timeout(5000),
    );
    return responses[0]?.response_range?.kvs?.length ?? 0;
  }

  test("a change of fields takes one round trip, one of what leads to the record two", async () => {
    const proxy = await startProxy(url);
    onTestFinished(proxy.close);
    const driver = etcdDriver({ client: etcdClient(`http://${proxy.host}:${proxy.port}`), prefix: prefix() });
    const trips: number[] = [];
    for (const call of [
      () => driver.create(idOf(1), record, now),
      () => driver.load(idOf(1)),
      () => driver.commit(idOf(1), { fields: many(100) }, now),
      () => driver.commit(idOf(1), { fields: many(1), ifVersion: 2 }, now),
      () => driver.commit(idOf(1), { fields: many(100), expiresAt: now + 2 * HOUR, principal: "bob" }, now),
      () => driver.destroy(idOf(1), now),
    ]) {
      const before = proxy.roundTrips();
      await call();
      trips.push(proxy.roundTrips() - before);
    }
    expect(trips).toEqual([1, 1, 1, 1, 2, 2]);
  });

  test("all keys of a record go where the record goes", async () => {
    const at = prefix();
    const driver = etcdDriver({ client, prefix: at });
    await driver.create(idOf(1), record, now);
    await driver.commit(idOf(1), { fields: many(3), expiresAt: now + 2 * HOUR, principal: "bob" }, now);
    expect(await keysUnder(at)).toBe(8);
    await driver.destroy(idOf(1), now);
    await driver.create(idOf(2), record, now);
    await driver.commit(idOf(2), { fields: new Map(), expiresAt: now - 1 }, now);
    expect(await driver.sweep({ after: 0, before: now, limit: 10 })).toBe(1);
    expect(await keysUnder(at)).toBe(0);
  });

  test("sweeps find every record in their range, each as many as it may", async () => {
    const driver = etcdDriver({ client, prefix: prefix(), timeout: "20s" });
    for (let n = 0; n < 100; n++) await driver.create(idOf(n), { ...record, expiresAt: now + n }, now - 1);
    expect(await driver.sweep({ after: now + 10, before: now + 90, limit: 50 })).toBe(50);
    expect(await driver.sweep({ after: now + 10, before: now + 90, limit: 1_000 })).toBe(30);
    expect((await driver.list({ limit: 1_000 }, now)).records).toHaveLength(20);
  });

  test("a late call is ended, and sends nothing more", async () => {
    const sent: AbortSignal[] = [];
    const hanging: EtcdClientLike = {
      txn: (_, signal) =>
        new Promise((_, reject) => {
          sent.push(signal);
          signal.addEventListener("abort", () => reject(new Error("ended")));
        }),
    };
    const driver = etcdDriver({ client: hanging, timeout: 50 });
    const error: unknown = await driver.destroy(idOf(1), now).catch((error: unknown) => error);
    expect(isSessionError(error, "ERR_SESSION_UNAVAILABLE")).toBe(true);
    expect(sent.map(({ aborted }) => aborted)).toEqual([true]);
  });

  test("by a URL", async () => {
    const driver = await fromUrl(url, { prefix: prefix() });
    expect(await driver.create(idOf(1), record, now)).toBe(true);
    expect((await driver.load(idOf(1)))?.principal).toBe("ada");
  });
});
