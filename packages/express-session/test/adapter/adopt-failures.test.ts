import { openSession } from "@sessions/adapter-node";
import { startProxy } from "@sessions/conformance/proxy";
import { service } from "@sessions/test-services";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";
import { adoptExpressSession } from "../../src/index.ts";
import {
  type Answer,
  ask,
  cookieOf,
  ENDED,
  gate,
  kept,
  leave,
  mapOld,
  type Old,
  OURS,
  SECRET,
  startNewSite,
  told,
  visitOldSite,
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
    // No session is left that nobody can open.
    expect(site.calls).toEqual(method === "set" ? ["create", "load", "destroy"] : []);
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

  test("a client that has gone before its session is asked for", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const [begun, gone, done] = [gate(), gate(), gate()];
    const site = await startNewSite(store, {
      lazy: true,
      routes(app, sessions) {
        app.get("/slow", async (req, res) => {
          res.once("close", gone.open);
          begun.open();
          await gone.opened;
          await openSession(sessions, req, res);
          res.end();
          done.open();
        });
        app.use(async (req, res) => res.send(told(await openSession(sessions, req, res))));
      },
    });
    await leave(`${site.url}/slow`, cookie, begun.opened);
    await done.opened;
    expect(site.calls).toEqual([]);
    expect(await ask(site.url, cookie)).toMatchObject(ADOPTED);
  });

  test.each(["image", "iframe", "empty"])("another site's %s, whose cookies browsers drop", async (dest) => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const site = await startNewSite(store);
    const headers = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": dest };
    expect(await ask(site.url, cookie, { headers })).toMatchObject({ text: "nobody: ", cookies: [] });
    expect(site.calls).toEqual([]);
    const link = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document" };
    expect(await ask(site.url, cookie, { headers: link })).toMatchObject(ADOPTED);
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
    const proxy = await startProxy(redis?.url ?? "");
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

test.each(["get", "set"])(
  "who has moved does not depend on the old store, whose %s is down",
  async (method) => {
    const inner = new session.MemoryStore();
    const [first, second] = [await visitOldSite(inner), await visitOldSite(inner)];
    const store = watched(inner);
    const site = await startNewSite(store);
    const ours = cookieOf((await ask(site.url, first.cookie)).cookies);
    const both = `${ours}; ${second.cookie}`;
    store.down.add(method);
    expect(await ask(site.url, both)).toMatchObject({ status: 200, text: "ada: tea", cookies: [] });
    store.down.clear();
    expect(await ask(site.url, both)).toMatchObject({ text: "ada: tea", cookies: [ENDED] });
  },
);

describe("another process on the same store", () => {
  test("that was faster has the session; this one sets no cookie, and leaves no session behind", async () => {
    const shared = new session.MemoryStore();
    const { cookie } = await visitOldSite(shared);
    const other = await startNewSite(watched(shared));
    const site = await startNewSite(watched(shared), {
      async map(old, to) {
        mapOld(old, to);
        expect(await ask(other.url, cookie)).toMatchObject(ADOPTED);
      },
    });
    expect(await ask(site.url, cookie)).toMatchObject({ status: 200, text: "nobody: ", cookies: [] });
    expect(site.calls).toEqual(["create", "load", "destroy"]);
  });

  test("that ended the session meanwhile has ended it", async () => {
    const shared = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(shared);
    const site = await startNewSite(shared, {
      map(old, to) {
        mapOld(old, to);
        shared.destroy(sid);
      },
    });
    expect(await ask(site.url, cookie)).toMatchObject({ status: 200, text: "nobody: ", cookies: [] });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: " });
  });
});

describe("until the response with the new cookie has arrived", () => {
  /** `/slow` adopts, and answers when it is told to. */
  async function beside(old?: Old) {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store, old);
    const [begun, goOn] = [gate(), gate()];
    const site = await startNewSite(store, {
      routes(app) {
        app.get("/slow", async (_req, res) => {
          begun.open();
          await goOn.opened;
          res.end();
        });
        app.post("/cart", (req, res) => {
          req.session.store<{ items: string[] }>("cart").update("items", (items = []) => [...items, "honey"]);
          res.end();
        });
        app.post("/logout", async (req, res) => {
          await req.session.logout();
          res.end();
        });
        app.post("/login", (req, res) => {
          req.session.login("bob");
          res.end();
        });
      },
    });
    const slow = ask(`${site.url}/slow`, cookie);
    await begun.opened;
    const post = (path: string) => ask(`${site.url}${path}`, cookie, { method: "POST" });
    async function finish(): Promise<Answer> {
      goOn.open();
      return slow;
    }
    return { site, cookie, post, finish };
  }

  test("the user's other requests go on with the session, and set no cookie", async () => {
    const { site, cookie, post, finish } = await beside();
    expect(await ask(site.url, cookie)).toMatchObject({ text: "ada: tea", cookies: [] });
    expect(await post("/cart")).toMatchObject({ status: 200, cookies: [] });
    const { cookies } = await finish();
    expect(cookies).toEqual([ENDED, OURS]);
    expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "ada: tea,honey" });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
  });

  test("who logs out is out, whatever cookie arrives then", async () => {
    const { site, post, finish } = await beside();
    expect(await post("/logout")).toMatchObject({ status: 200, cookies: [] });
    expect(await ask(site.url, cookieOf((await finish()).cookies))).toMatchObject({ text: "nobody: " });
  });

  test("a guest can log in, and whatever cookie arrives then opens the guest's", async () => {
    const { site, cookie, post, finish } = await beside({ cart: ["tea"] });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
    expect(await post("/login")).toMatchObject({ status: 200, cookies: [OURS] });
    expect(await ask(site.url, cookieOf((await finish()).cookies))).toMatchObject({ text: "nobody: tea" });
  });
});

test("who logs out with the old cookie, once another response brought the new one, is out", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store);
  const site = await startNewSite(store, {
    routes: (app) =>
      app.post("/logout", async (req, res) => {
        await req.session.logout();
        res.end();
      }),
  });
  const ours = cookieOf((await ask(site.url, cookie)).cookies);
  expect(await ask(`${site.url}/logout`, cookie, { method: "POST" })).toMatchObject({ cookies: [] });
  expect(await ask(site.url, ours)).toMatchObject({ text: "nobody: " });
});

test("a page that asks its own site, with its visitor's cookies, waits for nobody", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store);
  const site = await startNewSite(store, {
    routes: (app) =>
      app.get("/page", async (_req, res) => res.send(`page of ${(await ask(site.url, cookie)).text}`)),
  });
  expect(await ask(`${site.url}/page`, cookie)).toMatchObject({ text: "page of ada: tea" });
});

test.each([
  ["store", { store: "redis://user:password@host" }],
  ["secret", { secret: "" }],
  ["secret", { secret: [] }],
  ["secret", { secret: undefined }],
  ["name", { name: "a b" }],
  ["cookie.path", { cookie: { path: "/; Domain=elsewhere" } }],
  ["cookie.domain", { cookie: { domain: "" } }],
  ["cookie.sameSite", { cookie: { sameSite: true } }],
  ["cookie.secure", { cookie: { secure: "auto" } }],
  ["cookie.partitioned", { cookie: { partitioned: 1 } }],
  ["cookie.maxAge", { cookie: { maxAge: 1 } }],
  ['Did you mean "cookie.domain"?', { cookie: { domian: "shop.example" } }],
  ["cookie must be", { cookie: null }],
  ["map", { map: undefined }],
  ["resave", { resave: false }],
  ['Did you mean "name"?', { nmae: "sid" }],
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
