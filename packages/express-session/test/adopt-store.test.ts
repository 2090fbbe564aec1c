import { type Driver, DriverUnavailableError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { redisDriver } from "@sessions/driver-redis";
import { service } from "@sessions/test-services";
import express, { type Express } from "express";
import session from "express-session";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { appOn, ask, HOUR, listen } from "./support.ts";

const secret = "it is a secret to nobody";
const redis = service("redis");
let sites = 0;

async function onRedis(): Promise<() => Promise<Driver>> {
  const prefix = `adopt-store-test-${process.pid}-${++sites}:`;
  return async () => {
    const client = createClient({ url: redis?.url ?? "" });
    await client.connect();
    onTestFinished(() => client.destroy());
    return redisDriver({ client, prefix });
  };
}

async function inMemory(): Promise<() => Promise<Driver>> {
  const driver = memoryDriver();
  return async () => driver;
}

const backends: [string, boolean, () => Promise<() => Promise<Driver>>][] = [
  ["memory", false, inMemory],
  ["Redis", !redis, onRedis],
];

const routes = {
  "/set": (req, res) => {
    Object.assign(req.session, req.query);
    req.session.save(() => res.end());
  },
  "/show": (req, res) => {
    const { cookie: _, ...data } = req.session;
    res.json(data);
  },
  "/logout": (req, res) => void req.session.destroy((error) => res.status(error ? 500 : 200).end()),
} satisfies Record<string, express.RequestHandler>;

function serve(app: Express): Promise<string> {
  for (const [path, handler] of Object.entries(routes)) app.get(path, handler);
  app.use(((error, _req, res, next) => {
    if (res.headersSent) next(error);
    else res.status(500).send(String(error.message));
  }) satisfies express.ErrorRequestHandler);
  return listen(app);
}

/** A process of the site as it was (0), and processes whose store takes over from its store. */
async function site(open: () => Promise<Driver>, processes = 1) {
  const old = new session.MemoryStore();
  const blobs: Record<string, string> = Reflect.get(old, "sessions");
  const before = express();
  const options = { secret, resave: false, saveUninitialized: false, cookie: { maxAge: HOUR } };
  before.use(session({ ...options, store: old }));
  const stores = await Promise.all(
    Array.from({ length: processes }, async () =>
      expressSessionStore(await open(), {
        Store: session.Store,
        adopt: old,
        principal: ({ user }: { user?: string }) => user,
      }),
    ),
  );
  const after = stores.map((store) => appOn(memoryDriver(), { ...options, store }));
  const urls = await Promise.all([before, ...after].map(serve));
  const [store] = stores;
  if (!store) throw new Error("none");
  return {
    ...{ old, blobs, store },
    async ask(at: number, path: string, cookie = "") {
      const response = await fetch(`${urls[at]}${path}`, { headers: { cookie } });
      const [setCookie = ""] = response.headers.getSetCookie();
      return { status: response.status, body: await response.text(), cookie: setCookie.split(";", 1)[0] };
    },
  };
}

describe.each(backends)("the sessions of an old store, on %s", (_name, isAway, open) => {
  test.skipIf(isAway)(
    "go on under their cookies, with their user, and are ended in the old store",
    async () => {
      const { ask, blobs, store } = await site(await open());
      const { cookie } = await ask(0, "/set?user=anna");
      expect(Object.keys(blobs)).toHaveLength(1);
      expect(await ask(1, "/show", cookie)).toMatchObject({ body: '{"user":"anna"}' });
      expect(Object.keys(blobs)).toHaveLength(0);
      await ask(1, "/set?lang=de", cookie);
      expect(JSON.parse((await ask(1, "/show", cookie)).body)).toEqual({ user: "anna", lang: "de" });
      expect(await store.destroyAll("anna")).toBe(1);
      expect((await ask(1, "/show", cookie)).body).toBe("{}");
    },
  );

  test.skipIf(isAway)("are moved once by processes that meet, and no write is lost", async () => {
    const { ask } = await site(await open(), 3);
    for (let round = 0; round < 5; round++) {
      const { cookie } = await ask(0, "/set?user=anna");
      await Promise.all([1, 2, 3].map((at) => ask(at, `/set?key${at}=1`, cookie)));
      expect(JSON.parse((await ask(1, "/show", cookie)).body)).toEqual({
        ...{ user: "anna", key1: "1", key2: "1", key3: "1" },
      });
    }
  });

  test.skipIf(isAway)("stay ended, whatever an old process still writes", async () => {
    const { ask, blobs, store } = await site(await open());
    const ways: Record<string, (cookie: string) => Promise<unknown>> = {
      logout: (cookie) => ask(1, "/logout", cookie),
      destroyAll: () => store.destroyAll("destroyAll"),
      clear: () => new Promise((resolve) => store.clear(resolve)),
    };
    for (const [way, end] of Object.entries(ways)) {
      const { cookie = "" } = await ask(0, `/set?user=${way}`);
      const late = { ...blobs };
      // For the first, the session was moved before. The others find it in the old store.
      if (way === "logout") expect((await ask(1, "/show", cookie)).body, way).toBe('{"user":"logout"}');
      await end(cookie);
      Object.assign(blobs, late);
      expect((await ask(1, "/show", cookie)).body, way).toBe("{}");
      expect(Object.keys(blobs), way).toHaveLength(0);
    }
  });
});

test("a session that was moved is not moved again after other code has ended it in the driver", async () => {
  const driver = memoryDriver();
  const { ask, blobs } = await site(async () => driver);
  const { cookie } = await ask(0, "/set?user=anna");
  const late = { ...blobs };
  await ask(1, "/show", cookie);
  for (const { id, fields } of (await driver.list({ limit: 10 }, Date.now())).records)
    if (fields.has("express-session/cookie")) await driver.destroy(id, Date.now());
  Object.assign(blobs, late);
  expect((await ask(1, "/show", cookie)).body).toBe("{}");
});

test("a request whose read of the old store comes late finds what another has moved meanwhile", async () => {
  const { ask: request, old, store } = await site(async () => memoryDriver());
  const { cookie = "" } = await request(0, "/set?user=anna");
  const { get } = old;
  old.get = (sid, callback) => {
    old.get = get;
    // The first one asks the old store only when the second one is done.
    void request(1, "/show", cookie).then(() => get.call(old, sid, callback));
  };
  expect((await request(1, "/show", cookie)).body).toBe('{"user":"anna"}');
  expect(await ask<number>((done) => store.length(done))).toBe(1);
});

test("a logout beside the move ends the session", async () => {
  const inner = memoryDriver();
  let meanwhile: (() => Promise<unknown>) | undefined;
  const driver: Driver = {
    ...inner,
    async create(id, record, now) {
      const run = record.fields.has("express-session/cookie") ? meanwhile : undefined;
      meanwhile = run ? undefined : meanwhile;
      await run?.();
      return inner.create(id, record, now);
    },
  };
  const { ask: request, blobs, store } = await site(async () => driver);
  const { cookie = "" } = await request(0, "/set?user=anna");
  const [sid = ""] = Object.keys(blobs);
  meanwhile = () => ask((done) => store.destroy(sid, done));
  expect((await request(1, "/show", cookie)).body).toBe("{}");
  expect(await store.exists(sid)).toBe(false);
});

test("a session is there for exists, also while only the old store has it; one that has ended there is not", async () => {
  const { ask, blobs, store } = await site(async () => memoryDriver());
  await ask(0, "/set?user=anna");
  const [[sid = "", blob = ""] = []] = Object.entries(blobs);
  expect(await store.exists(sid)).toBe(true);
  expect(await store.exists("another")).toBe(false);
  const ended = JSON.parse(blob);
  ended.cookie.expires = new Date(Date.now() - 1000);
  const late = expressSessionStore(memoryDriver(), {
    adopt: { get: (_sid, callback) => callback(null, ended), destroy: (_sid, done) => done() },
  });
  expect(await late.exists(sid)).toBe(false);
});

test("an old store or a driver that is down is an error, and logs nobody out", async () => {
  const inner = memoryDriver();
  const down = new Set<string>();
  const away = (): Promise<never> => Promise.reject(new DriverUnavailableError("away"));
  const driver: Driver = {
    ...inner,
    load: (id) => (down.has("load") ? away() : inner.load(id)),
    create: (...args) => (down.has("create") ? away() : inner.create(...args)),
  };
  const { ask, old } = await site(async () => driver);
  const { cookie } = await ask(0, "/set?user=anna");
  const { get, destroy } = old;
  old.get = (_sid, callback) => callback(new Error("away"));
  expect(await ask(1, "/show", cookie)).toMatchObject({ status: 500, cookie: "" });
  old.get = get;
  for (const method of ["load", "create"]) {
    down.add(method);
    expect(await ask(1, "/show", cookie)).toMatchObject({ status: 500, cookie: "" });
    down.delete(method);
  }
  old.destroy = (_sid, callback) => callback?.(new Error("away"));
  expect(await ask(1, "/show", cookie)).toMatchObject({ status: 500, cookie: "" });
  old.destroy = destroy;
  expect((await ask(1, "/show", cookie)).body).toBe('{"user":"anna"}');
});

test.each([
  ["adopt", { adopt: {} }],
  ["principal", { principal: "user" }],
])("%s is refused where it is none", (name, options) => {
  const call = (): unknown => Reflect.apply(expressSessionStore, undefined, [memoryDriver(), options]);
  expect(call).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining(name) }),
  );
});
