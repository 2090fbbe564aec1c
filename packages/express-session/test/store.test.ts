import { type Driver, DriverUnavailableError, type ListingDriver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import session from "express-session";
import { describe, expect, test } from "vitest";
import { type ExpressSessionStoreOptions, expressSessionStore, type StoredSession } from "../src/index.ts";
import { appOn, ask, HOUR, listen, visit } from "./support.ts";

const cookie = { originalMaxAge: null, expires: null };

describe("what a session holds", () => {
  test("comes back as JSON makes it", async () => {
    const store = expressSessionStore(memoryDriver());
    const data = {
      cookie,
      text: "\0 \ud800 ünö",
      nested: { list: [1, null, { deep: true }] },
      nothing: null,
      when: new Date(0),
      gone: undefined,
      call: () => 1,
      "a.b/c d%*'": "odd key",
      "": "no key",
    };
    await ask((done) => store.set("id", data, done));
    const { call: _, gone: __, ...kept } = data;
    expect(await ask((done) => store.get("id", done))).toEqual({ ...kept, when: "1970-01-01T00:00:00.000Z" });
  });

  test("a key named __proto__ is a key like any other", async () => {
    const store = expressSessionStore(memoryDriver());
    await ask((done) => store.set("id", { cookie, ...JSON.parse('{"a":1}') }, done));
    await ask((done) =>
      store.set("other", Object.assign(JSON.parse('{"__proto__":{"admin":true}}'), { cookie }), done),
    );
    const found = await ask<StoredSession>((done) => store.get("other", done));
    expect(Object.keys(found ?? {}).sort()).toEqual(["__proto__", "cookie"]);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
  });

  test.each([
    ["a key that is not well-formed", { "\ud800": 1 }],
    ["a key that is too long", { ["k".repeat(3000)]: 1 }],
    ["what JSON cannot hold", { n: 1n }],
  ])("%s is an error, and stores nothing", async (_, data) => {
    const store = expressSessionStore(memoryDriver());
    await expect(ask((done) => store.set("id", { cookie, ...data }, done))).rejects.toThrow(TypeError);
    expect(await ask((done) => store.get("id", done))).toBeUndefined();
  });

  test("changed after set() was called, it is not what is stored", async () => {
    const store = expressSessionStore(memoryDriver());
    const data = { cookie, n: 1 };
    const stored = ask((done) => store.set("id", data, done));
    data.n = 2;
    await stored;
    expect(await ask((done) => store.get("id", done))).toMatchObject({ n: 1 });
  });
});

test("no record has in it what a visitor's cookie carries", async () => {
  const driver = memoryDriver();
  const store = expressSessionStore(driver);
  await ask((done) => store.set("secret-id", { cookie, user: "alice" }, done));
  const { records } = await driver.list({ limit: 10 }, Date.now());
  expect(records).toHaveLength(1);
  expect(records[0]?.id).toMatch(/^[0-9a-f]{32}$/);
  expect(JSON.stringify(records.map((record) => ({ ...record, fields: [...record.fields] })))).not.toContain(
    "secret-id",
  );
});

test("a session is stored as ended where its cookie has ended, and one that was there is no more", async () => {
  const driver = memoryDriver();
  const store = expressSessionStore(driver);
  const past = { originalMaxAge: null, expires: new Date(Date.now() - 1000) };
  await ask((done) => store.set("new", { cookie: past }, done));
  await ask((done) => store.set("old", { cookie }, done));
  await ask((done) => store.set("old", { cookie: past }, done));
  expect(await ask((done) => store.get("new", done))).toBeUndefined();
  expect(await ask((done) => store.get("old", done))).toBeUndefined();
});

describe("all, length and clear", () => {
  test("tell of every live session, and of nothing else in the same backend", async () => {
    const driver = memoryDriver();
    const store = expressSessionStore(driver);
    const other = "0123456789abcdef0123456789abcdef";
    await driver.create(
      other,
      { expiresAt: Date.now() + HOUR, fields: new Map([["/core", "1"]]) },
      Date.now(),
    );
    const ended = { originalMaxAge: null, expires: new Date(Date.now() + HOUR) };
    for (let n = 0; n < 3; n++) await ask((done) => store.set(`s${n}`, { cookie, n }, done));
    await ask((done) => store.set("ended", { cookie: ended, n: 3 }, done));
    const { records } = await driver.list({ limit: 10 }, Date.now());
    const [last] = records.filter(({ fields }) => fields.get("express-session/n") === "3");
    await driver.commit(last?.id ?? "", { fields: new Map(), expiresAt: Date.now() }, Date.now());

    const all = await ask<StoredSession[]>((done) => store.all(done));
    // In no order that anybody promised.
    expect(all).toHaveLength(3);
    expect(all).toEqual(expect.arrayContaining([0, 1, 2].map((n) => ({ cookie, n }))));
    expect(await ask<number>((done) => store.length(done))).toBe(3);
    await ask((done) => store.clear(done));
    expect(await ask<number>((done) => store.length(done))).toBe(0);
    expect(await driver.load(other)).toBeDefined();
  });

  test("read every page of a listing", async () => {
    const store = expressSessionStore(memoryDriver());
    for (let n = 0; n < 1001; n++) await ask((done) => store.set(`s${n}`, { cookie }, done));
    expect(await ask<number>((done) => store.length(done))).toBe(1001);
  });

  test("are an error where the driver cannot list, or lists only a principal's records", async () => {
    const { name, create, load, commit, destroy, sweep, list } = memoryDriver();
    const plain = { name, create, load, commit, destroy, sweep };
    const byPrincipal: ListingDriver = { ...plain, list, principalsOnly: true };
    for (const store of [expressSessionStore(plain), expressSessionStore(byPrincipal)]) {
      const refusal = { code: "ERR_SESSION_UNSUPPORTED" };
      await expect(ask((done) => store.all(done))).rejects.toMatchObject(refusal);
      await expect(ask((done) => store.length(done))).rejects.toMatchObject(refusal);
      await expect(ask((done) => store.clear(done))).rejects.toMatchObject(refusal);
    }
  });
});

describe("a backend that is away", () => {
  const away = (): Promise<never> => Promise.reject(new DriverUnavailableError("away"));
  const driver: Driver = {
    name: "away",
    create: away,
    load: away,
    commit: away,
    destroy: away,
    sweep: async () => 0,
  };
  const refusal = { code: "ERR_SESSION_UNAVAILABLE" };

  test("is an error for whoever calls", async () => {
    const store = expressSessionStore(driver);
    await expect(ask((done) => store.get("id", done))).rejects.toMatchObject(refusal);
    await expect(ask((done) => store.set("id", { cookie }, done))).rejects.toMatchObject(refusal);
    await expect(ask((done) => store.touch("id", { cookie }, done))).rejects.toMatchObject(refusal);
    await expect(ask((done) => store.destroy("id", done))).rejects.toMatchObject(refusal);
  });

  test("is no new session for a visitor who has one", async () => {
    const inner = memoryDriver();
    let isAway = false;
    const app = appOn({ ...driver, create: inner.create, load: (id) => (isAway ? away() : inner.load(id)) });
    app.get("/", (req, res) => {
      req.session["n"] = 1;
      res.end();
    });
    const visitor = visit(await listen(app));
    await visitor.get("/");
    isAway = true;
    expect(await visitor.get("/")).toMatchObject({ status: 503, setCookie: undefined });
  });

  test("is a process warning where there is no callback", async () => {
    const warned = new Promise((resolve) => process.once("warning", resolve));
    expressSessionStore(driver).destroy("id");
    expect(await warned).toMatchObject(refusal);
  });
});

describe("options", () => {
  test("the store is an instance of the Store that was given, by default express-session's", () => {
    class Other extends session.MemoryStore {}
    expect(expressSessionStore(memoryDriver())).toBeInstanceOf(session.Store);
    expect(expressSessionStore(memoryDriver(), { Store: Other })).toBeInstanceOf(Other);
  });

  test.each([
    ["idle", { idle: "soon" }],
    ["Store", { Store: "session.Store" }],
    ["ttl", { ttl: 1 }],
    ['Did you mean "idle"?', { idel: "1h" }],
    ["object", null],
  ])("one that is unknown or out of range is refused by name: %s", (name, options) => {
    const call = (): unknown => Reflect.apply(expressSessionStore, undefined, [memoryDriver(), options]);
    expect(call).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining(name) }),
    );
  });

  test.each([
    ["nothing", undefined],
    ["a promise of one", Promise.resolve(memoryDriver())],
    ["a URL", "redis://user:password@host"],
  ])("a driver that is none is refused at once: %s", (_what, driver) => {
    const call = (): unknown => Reflect.apply(expressSessionStore, undefined, [driver]);
    expect(call).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining("await") }),
    );
    expect(call).not.toThrow(/password/);
  });

  test("without express-session's Store, express-session is told what is missing", async () => {
    const options: ExpressSessionStoreOptions = { Store: (await import("node:events")).EventEmitter };
    const store = expressSessionStore(memoryDriver(), options);
    expect(() => Reflect.apply(Reflect.get(store, "createSession"), store, [{}, {}])).toThrow(
      "session.Store",
    );
  });
});
