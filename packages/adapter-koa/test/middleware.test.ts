import { createSessionManager, type Session } from "@sessions/core";
import Koa from "koa";
import { describe, expect, expectTypeOf, test } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";
import { ask, cookieOf, start, stored, visitor } from "./support.ts";

describe("misuse is an error at once", () => {
  const twice = expect.objectContaining({
    name: "TypeError",
    message: expect.stringMatching(/Mount one session middleware, and only once/),
  });

  test.each([false, true])("two session middlewares, lazy: %s", async (lazy) => {
    const app = await start((sessions) => sessionMiddleware(sessions, { lazy }), { lazy });
    expect((await ask(app)).status).toBe(500);
    expect(app.errors).toEqual([twice]);
  });

  test("another library's ctx.session", async () => {
    const app = await start(() => () => undefined, {
      before(ctx, next) {
        Object.assign(ctx, { session: {} });
        return next();
      },
    });
    expect((await ask(app)).status).toBe(500);
    expect(app.errors).toEqual([twice]);
  });

  test("openSession with a manager that is not the middleware's", async () => {
    const app = await start(() => async (ctx) => {
      await openSession(createSessionManager(), ctx);
    });
    expect((await ask(app)).status).toBe(500);
    expect(String(app.errors)).toMatch(/TypeError: openSession: another session manager/);
  });

  test("something that is not a manager", () => {
    // @ts-expect-error no manager
    expect(() => sessionMiddleware({})).toThrow(TypeError);
    // @ts-expect-error nothing at all
    expect(() => sessionMiddleware()).toThrow(TypeError);
  });
});

describe("lazy", () => {
  test("reads nothing for a handler that does not ask", async () => {
    const app = await start(() => (ctx) => Object.assign(ctx, { body: "none" }), { lazy: true });
    const cookie = await visitor(app);
    expect(await (await ask(app, cookie)).text()).toBe("none");
    expect(app.backend.calls).toEqual([]);
  });

  test("reads once and commits for a handler that asks; then ctx.session is there", async () => {
    const app = await start(
      (sessions) => async (ctx) => {
        const session = await openSession(sessions, ctx);
        session.store("app").set("n", 2);
        ctx.body = String(session === ctx.session && session === (await openSession(sessions, ctx)));
      },
      { lazy: true },
    );
    const cookie = await visitor(app);
    expect(await (await ask(app, cookie)).text()).toBe("true");
    expect(app.backend.calls).toEqual(["load", "commit"]);
    expect(await stored(app, cookie)).toBe(2);
  });

  test("says what to do where ctx.session is used too early", async () => {
    const app = await start(() => (ctx) => Object.assign(ctx, { body: ctx.session.id }), { lazy: true });
    expect((await ask(app)).status).toBe(500);
    expect(String(app.errors)).toContain("await openSession(sessions, ctx) first");
  });

  test("passes the error of a failed commit to Koa", async () => {
    const app = await start(
      (sessions) => async (ctx) => {
        (await openSession(sessions, ctx)).store("app").set("n", 2);
        ctx.body = "done";
      },
      { lazy: true },
    );
    app.backend.down.add("create");
    const answer = await ask(app);
    expect([answer.status, cookieOf(answer), app.errors.length]).toEqual([503, "", 1]);
  });
});

// Checked by tsc. Nothing runs.
test("the types fit Koa", () => {
  const check = (sessions: ReturnType<typeof createSessionManager>): void => {
    new Koa().use(sessionMiddleware(sessions, { lazy: true })).use(async (ctx) => {
      expectTypeOf(ctx.session).toEqualTypeOf<Session>();
      expectTypeOf(await openSession(sessions, ctx)).toEqualTypeOf<Session>();
    });
    expectTypeOf<Koa.Context["session"]>().toEqualTypeOf<Session>();
    // @ts-expect-error no such option
    sessionMiddleware(sessions, { lasy: true });
  };
  expectTypeOf(check).toBeFunction();
});
