import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { isSessionError } from "@sessions/core";
import { expect, test } from "vitest";
import { ask, cookieOf, gate, start, stored, visitor } from "./support.ts";

test("a backend that is down at the read is an error, and no fresh session", async () => {
  let handled = false;
  const app = await start(() => (ctx) => {
    handled = true;
    ctx.body = "done";
  });
  const cookie = await visitor(app);
  app.backend.down.add("load");
  const answer = await ask(app, cookie);
  expect([answer.status, await answer.text(), handled]).toEqual([503, "Service Unavailable", false]);
  expect(answer.headers.getSetCookie()).toEqual([]);
  expect(app.errors.map((error) => isSessionError(error, "ERR_SESSION_UNAVAILABLE"))).toEqual([true]);
  app.backend.down.clear();
  expect(await stored(app, cookie)).toBe(1);
});

test("an outer middleware that catches errors gets the error of the read", async () => {
  const app = await start(() => () => undefined, {
    async before(ctx, next) {
      try {
        await next();
      } catch (error) {
        ctx.status = 503;
        ctx.body = isSessionError(error) ? `${error.code} ${ctx.session}` : "other";
      }
    },
  });
  const cookie = await visitor(app);
  app.backend.down.add("load");
  const answer = await ask(app, cookie);
  expect([answer.status, await answer.text()]).toEqual([503, "ERR_SESSION_UNAVAILABLE undefined"]);
});

test("the error page of a handler that throws commits what it wrote", async () => {
  const app = await start(() => (ctx) => {
    ctx.session.store("app").set("n", 2);
    throw new Error("of the handler");
  });
  const answer = await ask(app);
  expect(answer.status).toBe(500);
  expect(await stored(app, cookieOf(answer))).toBe(2);
});

test("a login that cannot be stored is an error, and the old session stays", async () => {
  const app = await start(() => (ctx) => {
    ctx.session.login("ada");
    ctx.cookies.set("welcome", "ada");
    ctx.redirect("/welcome");
  });
  const cookie = await visitor(app);
  app.backend.down.add("create");
  const answer = await ask(app, cookie);
  expect([answer.status, answer.headers.getSetCookie()]).toEqual([503, []]);
  expect(await stored(app, cookie)).toBe(1);
});

test("what a stream writes after the headers is committed before its end", async () => {
  const written = gate();
  const app = await start(() => (ctx) => {
    const { session } = ctx;
    ctx.body = Readable.from(
      (async function* () {
        yield "do";
        await written.opened;
        session.store("app").set("n", 3);
        yield "ne";
      })(),
    );
  });
  const cookie = await visitor(app);
  const answer = await ask(app, cookie);
  written.open();
  expect(await answer.text()).toBe("done");
  expect(await stored(app, cookie)).toBe(3);
});

test("if that commit fails, the connection is cut, and app.on('error') gets the error", async () => {
  const written = gate();
  const app = await start(() => (ctx) => {
    const body = new PassThrough();
    body.write("do");
    void written.opened.then(() => {
      ctx.session.store("app").set("n", 3);
      body.end("ne");
    });
    ctx.body = body;
  });
  const cookie = await visitor(app);
  app.backend.down.add("commit");
  const answer = await ask(app, cookie);
  written.open();
  await expect(answer.text()).rejects.toThrow("terminated");
  expect(app.errors.some((error) => isSessionError(error, "ERR_SESSION_UNAVAILABLE"))).toBe(true);
});

test("the stream of a response that is taken back is destroyed", async () => {
  const body = Readable.from(Array.from({ length: 50 }, () => "x".repeat(50_000)));
  const app = await start(() => (ctx) => {
    ctx.session.store("app").set("n", 2);
    ctx.body = body;
  });
  app.backend.down.add("create");
  const closed = once(body, "close");
  const answer = await ask(app);
  await closed;
  expect([answer.status, await answer.text(), body.readableEnded]).toEqual([
    503,
    "Service Unavailable",
    false,
  ]);
});

test("the connection serves more requests after a response that was taken back", async () => {
  const app = await start(() => (ctx) => {
    ctx.session.store("app").set("n", 2);
    ctx.body = "done";
  });
  app.backend.down.add("create");
  await (await ask(app)).text();
  app.backend.down.clear();
  expect(await (await ask(app)).text()).toBe("done");
});
