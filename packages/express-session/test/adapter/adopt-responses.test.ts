import { openSession } from "@sessions/adapter-node";
import { createSessionManager } from "@sessions/core";
import session from "express-session";
import { expect, test } from "vitest";
import { adoptExpressSession } from "../../src/index.ts";
import {
  ask,
  backend,
  cookieOf,
  ENDED,
  gate,
  kept,
  listen,
  mapOld,
  OURS,
  SECRET,
  startNewSite,
  told,
  visitOldSite,
} from "./sites.ts";

/** A visitor of the old site, and the new one. */
async function moved(options: Parameters<typeof startNewSite>[1] = {}) {
  const store = new session.MemoryStore();
  const { cookie, sid } = await visitOldSite(store);
  return { store, cookie, sid, site: await startNewSite(store, options) };
}

test("a redirect carries both cookies, and who follows it finds all", async () => {
  const { site, cookie } = await moved({ routes: (app) => app.get("/go", (_req, res) => res.redirect("/")) });
  const { status, cookies } = await ask(`${site.url}/go`, cookie);
  expect([status, cookies]).toEqual([302, [ENDED, OURS]]);
  expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "ada: tea" });
});

test("HEAD carries both cookies", async () => {
  const { site, cookie } = await moved();
  const { cookies } = await ask(site.url, cookie, { method: "HEAD" });
  expect(cookies).toEqual([ENDED, OURS]);
  expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "ada: tea" });
});

test("a response that is written bit by bit has adopted with its head, and writes on", async () => {
  const { site, cookie, store, sid } = await moved({
    routes: (app) =>
      app.get("/stream", async (req, res) => {
        res.write("first;");
        // Held back until all is committed; what comes later belongs to the session that the client has by then.
        await new Promise((resolve) => res.write("second;", resolve));
        req.session.store("cart").set("items", ["tea", "honey"]);
        res.end(JSON.stringify(await kept(store, sid)).includes('"ada"') ? "still there" : "ended");
      }),
  });
  const { text, cookies } = await ask(`${site.url}/stream`, cookie);
  expect([text, cookies]).toEqual(["first;second;ended", [ENDED, OURS]]);
  expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "ada: tea,honey" });
});

test("a response that goes on and on keeps nobody waiting", async () => {
  const [begun, end] = [gate(), gate()];
  const { site, cookie } = await moved({
    routes: (app) =>
      app.get("/events", async (_req, res) => {
        begun.open();
        res.write("event");
        await end.opened;
        res.end();
      }),
  });
  const events = ask(`${site.url}/events`, cookie);
  await begun.opened;
  expect(await ask(site.url, cookie)).toMatchObject({ text: "ada: tea", cookies: [] });
  end.open();
  expect((await events).cookies).toEqual([ENDED, OURS]);
});

test("an error page of the application's own adopts like any other response", async () => {
  const { site, cookie } = await moved({
    routes: (app) => app.get("/missing", (_req, res) => res.status(404).send("none")),
  });
  expect(await ask(`${site.url}/missing`, cookie)).toMatchObject({ status: 404, cookies: [ENDED, OURS] });
});

test("the application's own cookies and Cache-Control stay", async () => {
  const { site, cookie } = await moved({
    routes: (app) =>
      app.get("/own", (_req, res) => res.cookie("theme", "dark").set("Cache-Control", "private").end()),
  });
  const { cookies, headers } = await ask(`${site.url}/own`, cookie);
  expect(cookies).toEqual(["theme=dark; Path=/", ENDED, OURS]);
  expect(headers.get("cache-control")).toBe("private");
});

test("a handler that commits by itself changes nothing", async () => {
  const { site, cookie } = await moved({
    routes: (app) =>
      app.get("/commit", async (req, res) => {
        expect((await req.session.commit()).status).toBe("committed");
        res.end();
      }),
  });
  const { cookies } = await ask(`${site.url}/commit`, cookie);
  expect(cookies).toEqual([ENDED, OURS]);
  expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "ada: tea", cookies: [] });
});

test("who logs out with the very first request is out", async () => {
  const { site, cookie } = await moved({
    routes: (app) =>
      app.get("/logout", async (req, res) => {
        await req.session.logout();
        res.end();
      }),
  });
  expect((await ask(`${site.url}/logout`, cookie)).cookies).toEqual([ENDED]);
  expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
});

test("who logs in as somebody else with the very first request is somebody else", async () => {
  const { site, cookie } = await moved({
    routes: (app) =>
      app.get("/login", (req, res) => {
        req.session.login("bob");
        res.end();
      }),
  });
  const { cookies } = await ask(`${site.url}/login`, cookie);
  expect(cookies).toEqual([ENDED, OURS]);
  expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "bob: " });
});

test("both cookies may have one name: ours stays", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store);
  const sessions = createSessionManager({ cookie: { name: "connect.sid" } });
  const adopt = adoptExpressSession({ store, secret: SECRET, map: mapOld });
  const url = await listen(async (req, res) => {
    const found = await openSession(sessions, req, res, { adopt });
    res.end(told(found));
  });
  const { cookies } = await ask(url, cookie);
  expect(cookies).toEqual([expect.stringMatching(/^connect\.sid=[^;]/)]);
  expect(await ask(url, cookieOf(cookies))).toMatchObject({ text: "ada: tea", cookies: [] });
});

test("with lazy, a request that asks for no session adopts none", async () => {
  const { site, cookie, store, sid } = await moved({
    lazy: true,
    routes: (app, sessions) => {
      app.get("/plain", (_req, res) => res.send("plain"));
      app.get("/asks", async (req, res) => res.send(told(await openSession(sessions, req, res))));
    },
  });
  const before = await kept(store, sid);
  expect(await ask(`${site.url}/plain`, cookie)).toMatchObject({ text: "plain", cookies: [] });
  expect(await kept(store, sid)).toEqual(before);
  expect(await ask(`${site.url}/asks`, cookie)).toMatchObject({ text: "ada: tea", cookies: [ENDED, OURS] });
});

test("bare node:http: openSession adopts, and what fails rejects", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store);
  const own = backend();
  const sessions = createSessionManager({ driver: own.driver });
  let broken = true;
  const adopt = adoptExpressSession({
    store,
    secret: SECRET,
    map(old, to) {
      if (broken) throw new Error("cannot be mapped");
      mapOld(old, to);
    },
  });
  const url = await listen(async (req, res) => {
    try {
      const found = await openSession(sessions, req, res, { adopt });
      res.end(told(found));
    } catch (error) {
      res.writeHead(500).end(String(error));
    }
  });
  const failed = { status: 500, text: "Error: cannot be mapped", cookies: [] };
  expect(await ask(url, cookie)).toMatchObject(failed);
  broken = false;
  expect(await ask(url, cookie)).toMatchObject({ text: "ada: tea", cookies: [ENDED, OURS] });
});
