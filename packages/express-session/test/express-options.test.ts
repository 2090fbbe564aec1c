import type { ListedRecord, ListingDriver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import session from "express-session";
import { describe, expect, test } from "vitest";
import { expressSessionStore, type StoredSession } from "../src/index.ts";
import { appOn, ask, HOUR, listen, type Visitor, visit } from "./support.ts";

async function begin(options = {}): Promise<{ driver: ListingDriver; visitor: Visitor }> {
  const driver = memoryDriver();
  const app = appOn(driver, options);
  app.get("/set", (req, res) => {
    req.session["n"] = Number(req.session["n"] ?? 0) + 1;
    res.json(req.session["n"]);
  });
  app.get("/longer", (req, res) => {
    req.session.cookie.maxAge = 24 * HOUR;
    res.end();
  });
  app.get("/", (req, res) => {
    res.json({ expires: req.session.cookie.expires, originalMaxAge: req.session.cookie.originalMaxAge });
  });
  return { driver, visitor: visit(await listen(app)) };
}

const all = async (driver: ListingDriver): Promise<readonly ListedRecord[]> =>
  (await driver.list({ limit: 10 }, Date.now())).records;

async function only(driver: ListingDriver): Promise<ListedRecord> {
  const [record, ...others] = await all(driver);
  if (!record || others.length > 0)
    throw new Error(`there is not one record, but ${(await all(driver)).length}`);
  return record;
}

describe("saveUninitialized", () => {
  test("false stores nothing before something is written", async () => {
    const { driver, visitor } = await begin({ saveUninitialized: false });
    expect((await visitor.get("/")).setCookie).toBeUndefined();
    expect(await all(driver)).toEqual([]);
  });

  test("true stores an empty session, which the next request goes on with", async () => {
    const { driver, visitor } = await begin({ saveUninitialized: true });
    expect((await visitor.get("/")).setCookie).toContain("connect.sid");
    await visitor.get("/set");
    expect((await visitor.get("/set")).body).toBe("2");
    expect([...(await only(driver)).fields.keys()].sort()).toEqual([
      "express-session/cookie",
      "express-session/n",
    ]);
  });
});

describe("resave", () => {
  test.each([false, true])(
    "%s: a request that changes nothing moves the expiry, and writes no field",
    async (resave) => {
      const { driver, visitor } = await begin({ resave, cookie: { maxAge: HOUR } });
      await visitor.get("/set");
      const { id, version } = await only(driver);
      await driver.commit(id, { fields: new Map(), expiresAt: Date.now() + 1000 }, Date.now());
      const before = Date.now();
      await visitor.get("/");
      const after = await only(driver);
      expect(after.version).toBe(version);
      expect(after.expiresAt).toBeGreaterThanOrEqual(before + HOUR);
    },
  );
});

test("genid: any text is an id", async () => {
  let count = 0;
  const { visitor } = await begin({ genid: () => `users/ünö ${"x".repeat(500)} ${count++}` });
  await visitor.get("/set");
  expect((await visitor.get("/set")).body).toBe("2");
});

test("rolling: each response sets the cookie, and the expiry is the record's, to the millisecond", async () => {
  const { driver, visitor } = await begin({ rolling: true, cookie: { maxAge: HOUR } });
  await visitor.get("/set");
  const { setCookie } = await visitor.get("/");
  const { expiresAt } = await only(driver);
  expect(setCookie).toContain(`Expires=${new Date(expiresAt).toUTCString()}`);
});

test("originalMaxAge does not dwindle by the milliseconds that express-session loses", async () => {
  const store = expressSessionStore(memoryDriver());
  const cookie = (originalMaxAge: number) => ({ originalMaxAge, expires: new Date(Date.now() + HOUR) });
  const get = () => ask<StoredSession>((done) => store.get("id", done));
  await ask((done) => store.set("id", { cookie: cookie(HOUR) }, done));
  for (let i = 0; i < 3; i++) {
    // As express-session leaves it where the clock goes on between its two looks.
    const found = Object.assign((await get()) ?? {}, { cookie: cookie(HOUR - 1) });
    await ask((done) => store.set("id", found, done));
  }
  expect((await get())?.cookie).toMatchObject({ originalMaxAge: HOUR });
});

describe("the end of a session", () => {
  test("is that of its cookie", async () => {
    const { driver, visitor } = await begin({ cookie: { maxAge: HOUR } });
    const before = Date.now();
    await visitor.get("/set");
    const { expiresAt } = await only(driver);
    expect(expiresAt).toBeGreaterThanOrEqual(before + HOUR);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + HOUR);
  });

  test.each([
    [undefined, 24 * HOUR],
    ["2h" as const, 2 * HOUR],
  ])("is idle (%s) after its last use, where the cookie ends with the browser", async (idle, expected) => {
    const driver = memoryDriver();
    const app = appOn(driver, { store: expressSessionStore(driver, { Store: session.Store, idle }) });
    app.get("/set", (req, res) => {
      req.session["n"] = 1;
      res.end();
    });
    app.get("/", (_req, res) => {
      res.end();
    });
    const visitor = visit(await listen(app));
    const before = Date.now();
    const { setCookie } = await visitor.get("/set");
    expect(setCookie).not.toContain("Expires");
    const { id, expiresAt } = await only(driver);
    expect(expiresAt).toBeGreaterThanOrEqual(before + expected);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + expected);
    await driver.commit(id, { fields: new Map(), expiresAt: Date.now() + 1000 }, Date.now());
    await visitor.get("/");
    expect((await only(driver)).expiresAt).toBeGreaterThanOrEqual(before + expected);
  });

  test("is kept when a request changes nothing but the cookie's maxAge", async () => {
    const { driver, visitor } = await begin({ cookie: { maxAge: HOUR } });
    await visitor.get("/set");
    const before = Date.now();
    await visitor.get("/longer");
    // express-session itself may lose a millisecond of it.
    const { originalMaxAge } = JSON.parse((await visitor.get("/")).body);
    expect(originalMaxAge).toBeGreaterThan(23 * HOUR);
    expect((await only(driver)).expiresAt).toBeGreaterThanOrEqual(before + 24 * HOUR);
  });

  test("has come where the record has expired, though the backend still has it", async () => {
    const { driver, visitor } = await begin();
    await visitor.get("/set");
    const { id } = await only(driver);
    await driver.commit(id, { fields: new Map(), expiresAt: Date.now() }, Date.now());
    expect(await driver.load(id)).toBeDefined();
    expect((await visitor.get("/set")).body).toBe("1");
  });
});
