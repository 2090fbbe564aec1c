import { Readable } from "node:stream";
import { isSessionError } from "@sessions/core";
import type Koa from "koa";
import { describe, expect, test } from "vitest";
import { type App, ask, cookieOf, gate, start, stored, visitor } from "./support.ts";

/** A handler that writes `app/n`, and then sets the response. */
const writing =
  (finish: (ctx: Koa.Context) => unknown): (() => Koa.Middleware) =>
  () =>
  (ctx) => {
    ctx.session.store("app").set("n", 2);
    return finish(ctx);
  };

/** Every way to respond in Koa, with the status and the text. */
const ANSWERS: [string, number, string, (ctx: Koa.Context) => unknown][] = [
  ["a string", 200, "done", (ctx) => Object.assign(ctx, { body: "done" })],
  ["JSON", 200, '{"a":1}', (ctx) => Object.assign(ctx, { body: { a: 1 } })],
  ["a buffer", 200, "done", (ctx) => Object.assign(ctx, { body: Buffer.from("done") })],
  ["a stream", 200, "done", (ctx) => Object.assign(ctx, { body: Readable.from(["do", "ne"]) })],
  ["a web stream", 200, "done", (ctx) => Object.assign(ctx, { body: new Blob(["done"]).stream() })],
  ["a Response", 201, "done", (ctx) => Object.assign(ctx, { body: new Response("done", { status: 201 }) })],
  ["a redirect", 302, "Redirecting to /welcome.", (ctx) => ctx.redirect("/welcome")],
  ["no content", 204, "", (ctx) => Object.assign(ctx, { status: 204 })],
  ["nothing at all", 404, "Not Found", () => undefined],
  ["ctx.throw", 418, "no coffee", (ctx) => ctx.throw(418, "no coffee")],
  [
    "ctx.respond = false",
    201,
    "done",
    (ctx) => {
      ctx.respond = false;
      ctx.res.writeHead(201).end("done");
    },
  ],
];

test("a request without a cookie that writes nothing costs nothing", async () => {
  const app = await start(() => (ctx) => {
    ctx.body = String(ctx.session.isNew);
  });
  const answer = await ask(app);
  expect(await answer.text()).toBe("true");
  expect([answer.headers.getSetCookie(), answer.headers.get("cache-control")]).toEqual([[], null]);
  expect(app.backend.calls).toEqual([]);
});

test("one with a cookie costs one read, and no write", async () => {
  const app = await start(() => (ctx) => {
    ctx.body = String(ctx.session.store("app").get("n"));
  });
  const answer = await ask(app, await visitor(app));
  expect([await answer.text(), answer.headers.getSetCookie()]).toEqual(["1", []]);
  expect(app.backend.calls).toEqual(["load"]);
});

const unavailable = ({ errors }: App): number =>
  errors.filter((error) => isSessionError(error, "ERR_SESSION_UNAVAILABLE")).length;

describe.each(ANSWERS)("%s", (_, status, text, finish) => {
  test("goes out once the first write is stored, with its cookie", async () => {
    const app = await start(writing(finish));
    const reached = gate();
    const held = gate();
    app.backend.beforeWrite = () => {
      reached.open();
      return held.opened;
    };
    let came = false;
    const asked = ask(app).then((answer) => {
      came = true;
      return answer;
    });
    await reached.opened;
    expect(came).toBe(false);
    held.open();
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([status, text]);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(await stored(app, cookieOf(answer))).toBe(2);
  });

  test("is not sent if the session cannot be stored: Koa's error handling responds", async () => {
    const app = await start(writing(finish));
    app.backend.down.add("create");
    const answer = await ask(app);
    expect([answer.status, await answer.text()]).toEqual([503, "Service Unavailable"]);
    expect([answer.headers.getSetCookie(), answer.headers.get("location")]).toEqual([[], null]);
    expect(unavailable(app)).toBe(1);
  });
});

test("a page that a client is redirected to finds what was written", async () => {
  const app = await start(() => (ctx) => {
    if (ctx.path === "/") {
      ctx.session.store("app").set("n", 2);
      ctx.redirect("/welcome");
    } else ctx.body = String(ctx.session.store("app").get("n"));
  });
  const cookie = await visitor(app);
  const answer = await ask(app, cookie);
  const next = new URL(answer.headers.get("location") ?? "", app.url).href;
  expect(await (await ask({ ...app, url: next }, cookie)).text()).toBe("2");
});

test("a login gives a new session, and ends the old one", async () => {
  const app = await start(() => (ctx) => {
    ctx.session.login("ada");
    ctx.body = "welcome";
  });
  const old = await visitor(app);
  const answer = await ask(app, old);
  const session = await app.sessions.open(cookieOf(answer));
  expect([session.principal, session.store("app").get("n")]).toEqual(["ada", 1]);
  expect((await app.sessions.open(old)).isNew).toBe(true);
});

test("a logout removes the cookie", async () => {
  const app = await start(() => async (ctx) => {
    await ctx.session.logout();
    ctx.redirect("/");
  });
  const answer = await ask(app, await visitor(app));
  expect(answer.headers.getSetCookie()).toEqual([app.sessions.clearCookie()]);
});

test("writes of requests that overlap are all kept", async () => {
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  const all = gate();
  let waiting = 0;
  const app = await start(() => async (ctx) => {
    ctx.session.store("app").set(ctx.path.slice(1), true);
    if (++waiting === keys.length) all.open();
    await all.opened;
    ctx.status = 204;
  });
  const cookie = await visitor(app);
  await Promise.all(keys.map((key) => ask({ ...app, url: `${app.url}/${key}` }, cookie)));
  const store = (await app.sessions.open(cookie)).store("app");
  expect(keys.filter((key) => store.get(key) !== true)).toEqual([]);
});

test("the application's own cookies stay, and so does its Cache-Control where it keeps shared caches out", async () => {
  const app = await start(
    writing((ctx) => {
      ctx.cookies.set("welcome", "1");
      ctx.set("Cache-Control", "private, max-age=60");
      ctx.body = "done";
    }),
  );
  const answer = await ask(app);
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^welcome=1;/),
    expect.stringMatching(/^sid=/),
  ]);
  expect(answer.headers.get("cache-control")).toBe("private, max-age=60");
});

test("what a middleware outside sets after the handler goes out too", async () => {
  const app = await start(
    writing((ctx) => Object.assign(ctx, { body: "done" })),
    {
      async before(ctx, next) {
        await next();
        ctx.session.store("app").set("outside", 3);
        ctx.set("X-Outside", "yes");
      },
    },
  );
  const answer = await ask(app);
  expect(answer.headers.get("x-outside")).toBe("yes");
  expect(await stored(app, cookieOf(answer), "outside")).toBe(3);
});

test("a session that ended elsewhere is no error, and gets no cookie", async () => {
  const app = await start((sessions) => async (ctx) => {
    await sessions.destroy(ctx.session.id);
    ctx.session.store("app").set("n", 2);
    ctx.body = "done";
  });
  const cookie = await visitor(app);
  const answer = await ask(app, cookie);
  expect([await answer.text(), answer.headers.getSetCookie(), app.errors]).toEqual(["done", [], []]);
  expect(await stored(app, cookie)).toBeUndefined();
});

test("a request from another site without our cookie stores nothing", async () => {
  const app = await start(writing((ctx) => Object.assign(ctx, { body: "done" })));
  const answer = await ask(app, undefined, { method: "POST", headers: { "Sec-Fetch-Site": "cross-site" } });
  expect([await answer.text(), answer.headers.getSetCookie(), app.backend.calls]).toEqual(["done", [], []]);
});
