import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { ask, cookieOf, gate, start, stored, visitor } from "./support.ts";

const unavailable = expect.objectContaining({ code: "ERR_SESSION_UNAVAILABLE" });

test("a reply that is taken back leaves nothing of its headers, and keeps those from before", async () => {
  const app = await start(
    (fastify) => {
      fastify.setErrorHandler((_error, _request, reply) => reply.send("sorry"));
      fastify.get("/", (request, reply) => {
        request.session.store("app").set("n", 2);
        reply
          .code(201)
          .headers({ "X-Before": "changed", "X-Handler": "yes", ETag: "x", "Cache-Control": "public" })
          .header("Set-Cookie", "handler=1")
          .type("text/html")
          .send("<p>done");
      });
    },
    {
      before: (fastify) =>
        fastify.addHook("onRequest", async (_request, reply) => {
          reply.header("X-Before", "kept").header("Set-Cookie", ["before=1"]);
          reply.raw.setHeader("X-Raw", "kept");
        }),
    },
  );
  app.backend.down.add("create");
  const answer = await ask(app);
  // The error handler set no status.
  expect([answer.status, await answer.text()]).toEqual([500, "sorry"]);
  expect(answer.headers.getSetCookie()).toEqual(["before=1"]);
  const names = ["x-before", "x-raw", "x-handler", "etag", "cache-control", "content-type"];
  expect(names.map((name) => answer.headers.get(name))).toEqual([
    "kept",
    "kept",
    null,
    null,
    null,
    "text/plain; charset=utf-8",
  ]);
});

test("an error handler that redirects with a flash message which cannot be stored either is a plain 500", async () => {
  const app = await start((fastify) => {
    fastify.setErrorHandler((_error, request, reply) => {
      request.session.store("flash").set("text", "try again");
      reply.redirect("/");
    });
    fastify.get("/", (request, reply) => {
      request.session.store("app").set("n", 2);
      reply.send("done");
    });
  });
  app.backend.down.add("create");
  const answer = await ask(app);
  expect([answer.status, await answer.text()]).toEqual([500, "Internal Server Error"]);
  expect([answer.headers.get("location"), answer.headers.getSetCookie()]).toEqual([null, []]);
});

test("an asynchronous error handler replies, and onError and onResponse hooks run once", async () => {
  const ran: string[] = [];
  const over = gate();
  const app = await start((fastify) => {
    fastify.addHook("onError", async () => void ran.push("onError"));
    fastify.addHook("onResponse", async () => {
      ran.push("onResponse");
      over.open();
    });
    fastify.setErrorHandler(async (_error, request, reply) => {
      await new Promise(setImmediate);
      reply.code(503);
      return `sorry, ${request.session.isNew}`;
    });
    fastify.get("/", async (request) => {
      request.session.store("app").set("n", 2);
      return "done";
    });
  });
  app.backend.down.add("create");
  const answer = await ask(app);
  await over.opened;
  expect([answer.status, await answer.text()]).toEqual([503, "sorry, true"]);
  expect(ran).toEqual(["onError", "onResponse"]);
});

test("the error page of a handler that throws commits what it wrote", async () => {
  const app = await start((fastify) =>
    fastify.get("/", (request) => {
      request.session.store("app").set("n", 2);
      throw new Error("of the handler");
    }),
  );
  const answer = await ask(app);
  expect(answer.status).toBe(500);
  expect(await stored(app, cookieOf(answer))).toBe(2);
});

test("a login that cannot be stored is an error, and the old session stays", async () => {
  const app = await start((fastify) =>
    fastify.get("/", (request, reply) => {
      request.session.login("ada");
      reply.redirect("/welcome");
    }),
  );
  const cookie = await visitor(app);
  app.backend.down.add("create");
  const answer = await ask(app, cookie);
  expect([answer.status, answer.headers.getSetCookie(), answer.headers.get("location")]).toEqual([
    503,
    [],
    null,
  ]);
  expect(await stored(app, cookie)).toBe(1);
});

describe("if the commit before a stream's end fails", () => {
  /** Begins with the headers, writes once `written` is opened, and ends. */
  async function streaming() {
    const written = gate();
    const app = await start((fastify) =>
      fastify.get("/", ({ session }, reply) => {
        const body = new PassThrough();
        body.write("do");
        void written.opened.then(() => {
          session.store("app").set("n", 3);
          body.end("ne");
        });
        reply.send(body);
      }),
    );
    const cookie = await visitor(app);
    app.backend.down.add("commit");
    return { app, cookie, written };
  }

  test("the connection is cut, and that is logged", async () => {
    const { app, cookie, written } = await streaming();
    const answer = await ask(app, cookie);
    written.open();
    await expect(answer.text()).rejects.toThrow("terminated");
    expect(app.errors).toContainEqual(unavailable);
  });

  test("inject() gives a stream that fails", async () => {
    const { app, cookie, written } = await streaming();
    const injected = await app.fastify.inject({ url: "/", headers: { cookie }, payloadAsStream: true });
    written.open();
    await expect(text(injected.stream())).rejects.toThrow();
    expect(app.errors).toContainEqual(unavailable);
  });
});

test("the stream of a reply that is taken back is destroyed, and the connection serves more requests", async () => {
  const body = Readable.from(Array.from({ length: 50 }, () => "x".repeat(50_000)));
  const app = await start((fastify) => {
    fastify.get("/", (request, reply) => {
      request.session.store("app").set("n", 2);
      reply.send(body);
    });
    fastify.get("/fine", () => "fine");
  });
  app.backend.down.add("create");
  const closed = once(body, "close");
  const answer = await ask(app);
  expect([answer.status, await answer.json()]).toEqual([503, unavailable]);
  // The stream ends with an error, because it was not read to its end.
  await closed.catch(() => undefined);
  expect(body.readableEnded).toBe(false);
  expect(await (await ask({ ...app, url: `${app.url}/fine` })).text()).toBe("fine");
});
