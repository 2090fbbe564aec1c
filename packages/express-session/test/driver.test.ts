import { createSessionManager } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import session from "express-session";
import { describe, expect, test } from "vitest";
import { fromExpressSessionStore, type StoreLike } from "../src/index.ts";
import { appOn, HOUR, listen, visit } from "./support.ts";

const ID = "0123456789abcdef0123456789abcdef";
const record = (now: number) => ({ expiresAt: now + HOUR, fields: new Map([["a/x", "1"]]) });

test("a manager keeps its sessions by the store: a login, a later request, a logout", async () => {
  const sessions = createSessionManager({ driver: fromExpressSessionStore(new session.MemoryStore()) });
  const first = await sessions.open(undefined);
  first.login("alice");
  first.store("cart").set("items", ["book"]);
  const { token } = await first.commit();
  const next = await sessions.load(token ?? "");
  expect(next?.principal).toBe("alice");
  expect(next?.store("cart").get("items")).toEqual(["book"]);
  await next?.logout();
  expect(await sessions.load(token ?? "")).toBeUndefined();
});

test("the store is told to keep a record for an hour past its end, by each of the ways that stores go by", async () => {
  const store = new session.MemoryStore();
  const driver = fromExpressSessionStore(store);
  // The caller's clock is a day behind; the store goes by this process's.
  const now = Date.now() - 24 * HOUR;
  const before = Date.now();
  await driver.create(ID, record(now), now);
  const { cookie } = await new Promise<session.SessionData>((resolve, reject) =>
    store.get(`sessions-${ID}`, (error, found) => (found ? resolve(found) : reject(error))),
  );
  expect(cookie).toMatchObject({ originalMaxAge: 2 * HOUR, maxAge: 2 * HOUR });
  expect(new Date(cookie.expires ?? 0).getTime()).toBeGreaterThanOrEqual(before + 2 * HOUR);
});

test("what an application with the same store lets its visitors write into their sessions is no record", async () => {
  const attacker = memoryDriver();
  const forged = createSessionManager({ driver: attacker }).create();
  forged.login("alice");
  const { token = "" } = await forged.commit();
  const { fields, ...record } = (await attacker.load(forged.id)) ?? { fields: [] };

  const store = new session.MemoryStore();
  const app = appOn(attacker, { store, genid: () => forged.id });
  app.get("/", (req, res) => {
    req.session["record"] = { ...record, fields: [...fields] };
    res.end();
  });
  await visit(await listen(app)).get("/");
  expect(await createSessionManager({ driver: fromExpressSessionStore(store) }).load(token)).toBeUndefined();
});

describe("a store that", () => {
  const nothing: StoreLike = {
    get: (_id, callback) => callback(null, null),
    set: (_id, _session, callback) => callback(),
    destroy: (_id, callback) => callback(),
  };

  test("says ENOENT has no such record", async () => {
    const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
    const driver = fromExpressSessionStore({ ...nothing, get: (_id, callback) => callback(missing) });
    expect(await driver.load(ID)).toBeUndefined();
  });

  test("has a session of an application under the id has no such record", async () => {
    const store: StoreLike = { ...nothing, get: (_id, callback) => callback(null, { cookie: {}, user: 1 }) };
    expect(await fromExpressSessionStore(store).load(ID)).toBeUndefined();
  });

  test("throws, or fails, is DriverUnavailableError", async () => {
    const now = Date.now();
    const failing = fromExpressSessionStore({
      ...nothing,
      set: (_id, _session, done) => done(new Error("full")),
    });
    const throwing = fromExpressSessionStore({
      ...nothing,
      get() {
        throw new Error("not connected");
      },
    });
    const refusal = { code: "ERR_SESSION_UNAVAILABLE" };
    await expect(failing.create(ID, record(now), now)).rejects.toMatchObject(refusal);
    await expect(throwing.load(ID)).rejects.toMatchObject(refusal);
  });

  test("answers too late is DriverUnavailableError, holds up nobody, and is sent no write that failed already", async () => {
    const late: (() => void)[] = [];
    let writes = 0;
    let slow = true;
    const store: StoreLike = {
      get(_id, callback) {
        if (slow) late.push(() => callback(null, null));
        else callback(null, null);
      },
      set(_id, _session, done) {
        writes++;
        done();
      },
      destroy: nothing.destroy,
    };
    const driver = fromExpressSessionStore(store, { timeout: 300 });
    const now = Date.now();
    await expect(driver.create(ID, record(now), now)).rejects.toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
    });
    slow = false;
    expect(await driver.create(ID, record(now), now)).toBe(true);
    for (const answer of late) answer();
    await new Promise(setImmediate);
    expect(writes).toBe(1);
  });
});

test.each([
  ["timeout", new session.MemoryStore(), { timeout: "soon" }],
  ["ttl", new session.MemoryStore(), { ttl: 1 }],
  ['Did you mean "timeout"?', new session.MemoryStore(), { timeuot: "1s" }],
  ["object", new session.MemoryStore(), null],
  ["store", "redis://user:password@host", {}],
])("what does not fit is refused by name: %s", (name, store, options) => {
  const call = (): unknown => Reflect.apply(fromExpressSessionStore, undefined, [store, options]);
  expect(call).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining(name) }),
  );
});
