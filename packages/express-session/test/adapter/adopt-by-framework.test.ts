import { sessionPlugin } from "@sessions/adapter-fastify";
import { withSession } from "@sessions/adapter-fetch";
import { sessionMiddleware as koaSession } from "@sessions/adapter-koa";
import type { Adopt } from "@sessions/adapter-node";
import { createSessionManager, type Session, type SessionManager } from "@sessions/core";
import session from "express-session";
import createFastify from "fastify";
import Koa from "koa";
import { describe, expect, test } from "vitest";
import { adoptExpressSession } from "../../src/index.ts";
import {
  ask,
  cookieOf,
  ENDED,
  gate,
  kept,
  listen,
  mapOld,
  OURS,
  SECRET,
  told,
  visitOldSite,
} from "./sites.ts";

/** What a site does with its session before it tells the visitor who that is. */
type Handle = (session: Session) => unknown;

type Start = (sessions: SessionManager, adopt: Adopt, handle: Handle) => Promise<string>;

const fetchHandler =
  (sessions: SessionManager, adopt: Adopt, handle: Handle) =>
  (request: Request): Promise<Response> =>
    withSession(
      sessions,
      request,
      async (opened) => {
        await handle(opened);
        return new Response(told(opened));
      },
      { adopt },
    );

const frameworks: Record<string, Start> = {
  async Koa(sessions, adopt, handle) {
    const app = new Koa();
    app.silent = true;
    app.use(koaSession(sessions, { adopt }));
    app.use(async (ctx) => {
      await handle(ctx.session);
      ctx.body = told(ctx.session);
    });
    return listen(app.callback());
  },
  async Fastify(sessions, adopt, handle) {
    const app = createFastify();
    await app.register(sessionPlugin, { sessions, adopt });
    app.get("/", async (request) => {
      await handle(request.session);
      return told(request.session);
    });
    await app.ready();
    return listen(app.routing);
  },
  async "the Fetch API"(sessions, adopt, handle) {
    const respond = fetchHandler(sessions, adopt, handle);
    return listen(async (req, res) => {
      const url = `http://${req.headers.host}${req.url}`;
      const headers = new Headers({ cookie: req.headers.cookie ?? "" });
      const response = await respond(new Request(url, { headers })).catch(
        () => new Response("", { status: 500 }),
      );
      res.writeHead(response.status, [...response.headers].flat());
      res.end(await response.text());
    });
  },
};

async function begin(start: Start, handle: Handle = () => undefined) {
  const store = new session.MemoryStore();
  const old = await visitOldSite(store);
  const sessions = createSessionManager();
  const adopt = adoptExpressSession({ store, secret: SECRET, map: mapOld });
  return { ...old, store, sessions, adopt, url: await start(sessions, adopt, handle) };
}

describe.each(Object.entries(frameworks))("with %s, a session of another library", (_, start) => {
  test("becomes one of ours: login and cart stay, and the cookies change places", async () => {
    const { url, cookie } = await begin(start);
    const first = await ask(url, cookie);
    expect(first).toMatchObject({ status: 200, text: "ada: tea", cookies: [ENDED, OURS] });
    expect(first.headers.get("cache-control")).toBe("private, no-store");
    expect(await ask(url, cookieOf(first.cookies))).toMatchObject({ text: "ada: tea", cookies: [] });
  });

  test("is adopted once: a copied cookie opens nothing", async () => {
    const { url, cookie } = await begin(start);
    await ask(url, cookie);
    expect(await ask(url, cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
  });

  test("belongs to its user in every request that overlaps", async () => {
    const [arrived, go] = [gate(), gate()];
    let count = 0;
    const { url, cookie } = await begin(start, async () => {
      if (++count === 3) arrived.open();
      await go.opened;
    });
    const answers = Promise.all(Array.from({ length: 3 }, () => ask(url, cookie)));
    await arrived.opened;
    go.open();
    const told = (await answers).map(({ text, cookies }) => ({ text, count: cookies.length }));
    expect(told).toEqual(
      expect.arrayContaining([
        { text: "ada: tea", count: 2 },
        { text: "ada: tea", count: 0 },
        { text: "ada: tea", count: 0 },
      ]),
    );
  });

  test("is logged in still after a handler threw", async () => {
    let fails = true;
    const { url, cookie } = await begin(start, () => {
      if (fails) throw new Error("a fault of the application");
    });
    const { status, cookies } = await ask(url, cookie);
    expect(status).toBe(500);
    fails = false;
    expect(await ask(url, cookieOf(cookies) || cookie)).toMatchObject({ status: 200, text: "ada: tea" });
  });

  test("stays logged out where the handler logged out and threw", async () => {
    let fails = true;
    const { url, cookie, store, sid } = await begin(start, async (opened) => {
      if (!fails) return;
      await opened.logout();
      throw new Error("a fault of the application");
    });
    const { cookies } = await ask(url, cookie);
    fails = false;
    for (const next of [cookie, cookieOf(cookies)]) expect((await ask(url, next)).text).toBe("nobody: ");
    expect(JSON.stringify(await kept(store, sid))).not.toMatch(/tea/);
  });
});

test("over the Fetch API, the old session stays where no response carried the cookie of the new one", async () => {
  for (const response of [new Response("", { status: 200 }), undefined]) {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const sessions = createSessionManager();
    const adopt = adoptExpressSession({ store, secret: SECRET, map: mapOld });
    const request = () => new Request("http://localhost/", { headers: { cookie } });
    await response?.text();
    const failing = withSession(
      sessions,
      request(),
      () => {
        if (!response) throw new Error("a fault of the application");
        return response; // its body was read
      },
      { adopt },
    );
    await expect(failing).rejects.toThrow(response ? /already read/ : /a fault/);
    const answer = await fetchHandler(sessions, adopt, () => undefined)(request());
    expect(await answer.text()).toBe("ada: tea");
    expect(answer.headers.getSetCookie()).toEqual([ENDED, OURS]);
  }
});
