import { service } from "@sessions/test-services";
import { openProxy } from "@sessions/test-services/proxy";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { adoptExpressSession } from "../../src/index.ts";
import {
  ask,
  cookieOf,
  ENDED,
  gate,
  kept,
  leave,
  mapOld,
  OURS,
  SECRET,
  startNewSite,
  visitOldSite,
  visits,
  watched,
} from "./sites.ts";

const redis = service("redis");

const FAILED = { status: 500, text: "error page", cookies: [] };
const ADOPTED = { status: 200, text: "ada: tea", cookies: [ENDED, OURS] };

describe("leaves the old session to the next request, and sets no cookie:", () => {
  test("our backend that is down", async () => {
    const store = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(store);
    const before = await kept(store, sid);
    const site = await startNewSite(store);
    site.down = true;
    expect(await ask(site.url, cookie)).toMatchObject(FAILED);
    expect(site.errors).toMatchObject([{ code: "ERR_SESSION_UNAVAILABLE" }]);
    expect(await kept(store, sid)).toEqual(before);
    site.down = false;
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });

  test("our backend that was down until the error page, which writes", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const site = await startNewSite(store, {
      onError(req) {
        site.down = false;
        req.session.store("errors").set("last", 1);
      },
    });
    site.down = true;
    expect(await ask(site.url, cookie)).toMatchObject(FAILED);
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });

  test("an error page of the application's own, whose commit fails", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const site = await startNewSite(store, {
      routes: (app) => app.get("/broken", (_req, res) => res.status(503).send("broken")),
    });
    site.down = true;
    expect(await ask(`${site.url}/broken`, cookie)).toMatchObject({ status: 503, cookies: [] });
    site.down = false;
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });

  test.each(["get", "set"])("the old store's %s that is down", async (method) => {
    const inner = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(inner);
    const before = await kept(inner, sid);
    const store = watched(inner);
    const site = await startNewSite(store);
    store.down.add(method);
    expect(await ask(site.url, cookie)).toMatchObject(FAILED);
    expect(site.errors).toMatchObject([{ code: "ERR_SESSION_UNAVAILABLE" }]);
    expect(await kept(inner, sid)).toEqual(before);
    store.down.clear();
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });

  test.each([
    ["throws", () => expect.unreachable("a map that throws")],
    ["rejects", async () => expect.unreachable("a map that rejects")],
  ])("a map that %s, after it staged a login", async (_how, fail) => {
    const store = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(store);
    const before = await kept(store, sid);
    let broken = true;
    const site = await startNewSite(store, {
      map(old, to) {
        mapOld(old, to);
        return broken ? fail() : undefined;
      },
    });
    expect(await ask(site.url, cookie)).toMatchObject(FAILED);
    expect(site.calls).toEqual([]);
    expect(await kept(store, sid)).toEqual(before);
    broken = false;
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });

  test("a client that has gone before it was answered", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const [begun, gone, done] = [gate(), gate(), gate()];
    const site = await startNewSite(store, {
      routes: (app) =>
        app.get("/slow", async (_req, res) => {
          res.once("close", gone.open);
          begun.open();
          await gone.opened;
          res.end();
          done.open();
        }),
    });
    await leave(`${site.url}/slow`, cookie, begun.opened);
    await done.opened;
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
    expect(site.calls).toEqual(["create"]);
  });

  test("a request from another site, which asks the old store nothing", async () => {
    const inner = new session.MemoryStore();
    const { cookie } = await visitOldSite(inner);
    const store = watched(inner);
    const site = await startNewSite(store, {
      routes: (app) => app.post("/", (req, res) => res.send(req.session.principal)),
    });
    const post = { method: "POST", headers: { "Sec-Fetch-Site": "cross-site" } };
    expect(await ask(site.url, cookie, post)).toMatchObject({ status: 200, text: "", cookies: [] });
    expect(store.calls).toEqual([]);
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });
});

test.skipIf(!redis)(
  "connect-redis whose Redis is away is down, and adopted from when it is back",
  async () => {
    const proxy = await openProxy(redis?.url ?? "");
    const client = createClient({ url: proxy.url, socket: { reconnectStrategy: 50 } });
    client.on("error", () => undefined);
    await client.connect();
    onTestFinished(async () => {
      await store.destroy(sid);
      client.destroy();
      await proxy.close();
    });
    const store = new RedisStore({ client, prefix: `adopt-test-${process.pid}:` });
    const { cookie, sid } = await visitOldSite(store);
    const site = await startNewSite(store);
    await proxy.cut();
    expect(await ask(site.url, cookie)).toMatchObject(FAILED);
    await proxy.restore();
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  },
);

test("an old store that never answers is down, within a few seconds", async () => {
  const { cookie } = await visitOldSite(new session.MemoryStore());
  const site = await startNewSite({ ...watched(new session.MemoryStore()), get: () => undefined });
  expect(await ask(site.url, cookie)).toMatchObject(FAILED);
});

test("beside a valid cookie of ours, an old store that is down is an error, and nobody is logged out", async () => {
  const inner = new session.MemoryStore();
  const [first, second] = [await visitOldSite(inner), await visitOldSite(inner)];
  const store = watched(inner);
  const site = await startNewSite(store);
  const ours = cookieOf((await ask(site.url, first.cookie)).cookies);
  store.down.add("set");
  expect(await ask(site.url, `${ours}; ${second.cookie}`)).toMatchObject(FAILED);
  store.down.clear();
  expect(await ask(site.url, `${ours}; ${second.cookie}`)).toMatchObject({
    text: "ada: tea",
    cookies: [ENDED],
  });
});

describe("another process on the same store", () => {
  test("that was faster has the session; this one sets no cookie, and leaves no session behind", async () => {
    const shared = new session.MemoryStore();
    const { cookie } = await visitOldSite(shared);
    const other = await startNewSite(watched(shared));
    const site = await startNewSite(watched(shared), {
      routes: (app) =>
        app.get("/meanwhile", async (req, res) => {
          expect(await ask(other.url, cookie)).toMatchObject(ADOPTED);
          res.send(req.session.principal);
        }),
    });
    expect(await ask(`${site.url}/meanwhile`, cookie)).toMatchObject({ status: 200, cookies: [] });
    expect(site.calls).toEqual(["create", "load", "destroy"]);
  });

  test("that ended the session meanwhile has ended it", async () => {
    const shared = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(shared);
    const site = await startNewSite(shared, {
      routes: (app) =>
        app.get("/meanwhile", (_req, res) => {
          shared.destroy(sid);
          res.end();
        }),
    });
    expect(await ask(`${site.url}/meanwhile`, cookie)).toMatchObject({ status: 200, cookies: [] });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: " });
  });
});

test("in one process a request with the same cookie waits until the first is answered", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store);
  const order: string[] = [];
  const [begun, goOn] = [gate(), gate()];
  const site = await startNewSite(store, {
    routes(app) {
      app.get("/first", async (_req, res) => {
        order.push("first begins");
        begun.open();
        await goOn.opened;
        order.push("first ends");
        res.end();
      });
      app.get("/second", (req, res) => {
        order.push(`second is ${req.session.principal}`);
        res.end();
      });
      visits(app);
    },
  });
  const first = ask(`${site.url}/first`, cookie);
  await begun.opened;
  const second = ask(`${site.url}/second`, cookie);
  // What waits for nobody is answered meanwhile.
  await ask(`${site.url}/visit`, "");
  await ask(`${site.url}/visit`, "");
  goOn.open();
  await Promise.all([first, second]);
  expect(order).toEqual(["first begins", "first ends", "second is undefined"]);
});

test.each([
  ["store", { store: "redis://user:password@host" }],
  ["secret", { secret: "" }],
  ["secret", { secret: [] }],
  ["secret", { secret: undefined }],
  ["name", { name: "a b" }],
  ["cookie.path", { cookie: { path: "/; Domain=elsewhere" } }],
  ["cookie.domain", { cookie: { domain: "" } }],
  ["cookie.maxAge", { cookie: { maxAge: 1 } }],
  ["map", { map: undefined }],
  ["resave", { resave: false }],
])("what does not fit is refused by name: %s", (name, wrong) => {
  const options = { store: new session.MemoryStore(), secret: SECRET, map: mapOld, ...wrong };
  const call = (): unknown => Reflect.apply(adoptExpressSession, undefined, [options]);
  expect(call).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining(name) }),
  );
  expect(call).not.toThrow(/password/);
});

test("nobody's old session is worth a new one: both old ones end, and nothing is stored", async () => {
  const store = new session.MemoryStore();
  const { cookie, sid } = await visitOldSite(store, {});
  const site = await startNewSite(store);
  expect(await ask(site.url, cookie)).toMatchObject({ status: 200, text: "nobody: ", cookies: [ENDED] });
  expect(site.calls).toEqual([]);
  expect(await kept(store, sid)).not.toMatchObject({ cookie: { originalMaxAge: null } });
});
