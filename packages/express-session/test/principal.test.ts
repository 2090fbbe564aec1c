import { type Driver, DriverUnavailableError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { redisDriver } from "@sessions/driver-redis";
import { service } from "@sessions/test-services";
import session from "express-session";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { appOn, ask, listen, meeting, visit } from "./support.ts";

const cookie = { originalMaxAge: null, expires: null };
const redis = service("redis");
let sites = 0;

async function onRedis(): Promise<Driver> {
  const client = createClient({ url: redis?.url ?? "" });
  await client.connect();
  onTestFinished(() => client.destroy());
  return redisDriver({ client, prefix: `principal-test-${process.pid}-${++sites}:` });
}

const backends: [string, boolean, () => Promise<Driver>][] = [
  ["memory", false, async () => memoryDriver()],
  ["Redis", !redis, onRedis],
];

/** A site with logins, on express-session. */
async function site(driver: Driver, options = {}) {
  const store = expressSessionStore(driver, { Store: session.Store, ...options });
  const app = appOn(driver, { store });
  const [read, over] = [meeting(2), meeting(2)];
  app.get("/login/:user", (req, res) => {
    req.session.regenerate(() => {
      req.session["passport"] = { user: req.params.user };
      // express-session sends a new session's page before it has stored it.
      req.session.save(() => res.end());
    });
  });
  app.get("/slow", async (req, res) => {
    await read();
    await over();
    req.session["late"] = true;
    res.end();
  });
  app.get("/set", (req, res) => {
    Object.assign(req.session, req.query);
    req.session.save(() => res.end());
  });
  app.get("/leave", (req, res) => {
    delete req.session["passport"];
    req.session.save(() => res.end());
  });
  app.get("/", (req, res) => {
    const { cookie: _, ...data } = req.session;
    res.json(data);
  });
  const url = await listen(app);
  return { store, read, over, visitor: () => visit(url) };
}

describe.each(backends)("destroyAll, on %s", (_name, isAway, open) => {
  test.skipIf(isAway)("ends every session of a user, and no other's, and brings none back", async () => {
    const { store, visitor, read, over } = await site(await open());
    const [phone, laptop, other] = [visitor(), visitor(), visitor()];
    await phone.get("/login/anna");
    await laptop.get("/login/anna");
    await other.get("/login/bob");
    const slow = laptop.get("/slow");
    await read();
    expect(await store.destroyAll("anna")).toBe(2);
    await over();
    expect((await slow).status).toBe(200);
    expect((await phone.get("/")).body).toBe("{}");
    expect((await laptop.get("/")).body).toBe("{}");
    expect(JSON.parse((await other.get("/")).body)).toEqual({ passport: { user: "bob" } });
    expect(await store.destroyAll("anna")).toBe(0);
  });

  test.skipIf(isAway)("takes a callback too", async () => {
    const store = expressSessionStore(await open(), { principal: ({ userId }) => userId });
    await ask((done) => store.set("one", { cookie, userId: 7 }, done));
    expect(await ask<number>((done) => store.destroyAll(7, done))).toBe(1);
  });
});

test("the principal is stored in the same commit as the data, and cleared when it goes", async () => {
  const inner = memoryDriver();
  const commits: unknown[] = [];
  const driver: Driver = {
    ...inner,
    commit: (id, change, now) => {
      // The end of a response touches the session, which changes no field.
      if (change.fields.size > 0)
        commits.push({ fields: Object.fromEntries(change.fields), principal: change.principal });
      return inner.commit(id, change, now);
    },
  };
  const { visitor } = await site(driver, { principal: ({ user }: { user?: string }) => user });
  const browser = visitor();
  const principals = async () =>
    (await inner.list({ limit: 10 }, Date.now())).records.map(({ principal }) => principal);
  await browser.get("/set?lang=de");
  expect(await principals()).toEqual([undefined]);
  await browser.get("/set?user=anna");
  expect(commits).toEqual([{ fields: { "express-session/user": '"anna"' }, principal: "anna" }]);
  await browser.get("/set?lang=fr");
  expect(commits[1]).toEqual({ fields: { "express-session/lang": '"fr"' }, principal: undefined });
  expect(await principals()).toEqual(["anna"]);
  await browser.get("/set?user=");
  expect(await principals()).toEqual([undefined]);
});

test("a logout that keeps the session takes it from the user", async () => {
  const { store, visitor } = await site(memoryDriver());
  const browser = visitor();
  await browser.get("/login/anna");
  await browser.get("/leave");
  expect(await store.destroyAll("anna")).toBe(0);
});

test("a session from before the option gets its principal at the next request", async () => {
  const driver = memoryDriver();
  const store = expressSessionStore(driver, { principal: () => undefined });
  await ask((done) => store.set("id", { cookie, passport: { user: "anna" } }, done));
  const now = expressSessionStore(driver);
  const found = await ask<object>((done) => now.get("id", done));
  await ask((done) => now.touch("id", found ?? {}, done));
  expect(await now.destroyAll("anna")).toBe(1);
});

test("a session that replaces the one that is there brings its own principal", async () => {
  const store = expressSessionStore(memoryDriver());
  await ask((done) => store.set("id", { cookie, passport: { user: "anna" } }, done));
  await ask((done) => store.set("id", { cookie, n: 1 }, done));
  expect(await store.destroyAll("anna")).toBe(0);
  expect(await store.exists("id")).toBe(true);
});

test("destroyAll sees what an index shows late", async () => {
  const inner = memoryDriver();
  let lists = 0;
  const driver = {
    ...inner,
    eventualList: true,
    list: async (...args: Parameters<typeof inner.list>) =>
      ++lists < 3 ? { records: [] } : inner.list(...args),
  };
  const store = expressSessionStore(driver);
  await ask((done) => store.set("id", { cookie, passport: { user: "anna" } }, done));
  expect(await store.destroyAll("anna")).toBe(1);
});

test("destroyAll is refused for what is no principal, and by a driver that cannot list", async () => {
  const { name, create, load, commit, destroy, sweep } = memoryDriver();
  const store = expressSessionStore({ name, create, load, commit, destroy, sweep });
  await expect(store.destroyAll("anna")).rejects.toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
  await expect(ask((done) => store.destroyAll("anna", done))).rejects.toMatchObject({
    code: "ERR_SESSION_UNSUPPORTED",
  });
  for (const wrong of [undefined, "", null, {}])
    await expect(Promise.resolve(Reflect.apply(store.destroyAll, store, [wrong]))).rejects.toThrow(TypeError);
});

test("a driver that lists only by principal is enough for destroyAll", async () => {
  const store = expressSessionStore({ ...memoryDriver(), principalsOnly: true } as Driver);
  await ask((done) => store.set("id", { cookie, passport: { user: "anna" } }, done));
  expect(await store.destroyAll("anna")).toBe(1);
});

test("exists tells of live sessions, with a promise or a callback, and fails where the backend is away", async () => {
  const inner = memoryDriver();
  let isAway = false;
  const store = expressSessionStore({
    ...inner,
    load: (id) => (isAway ? Promise.reject(new DriverUnavailableError("away")) : inner.load(id)),
  });
  await ask((done) => store.set("id", { cookie, n: 1 }, done));
  expect(await store.exists("id")).toBe(true);
  expect(await ask<boolean>((done) => store.exists("id", done))).toBe(true);
  await ask((done) => store.destroy("id", done));
  expect(await store.exists("id")).toBe(false);
  isAway = true;
  await expect(store.exists("id")).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
});
