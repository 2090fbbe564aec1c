import { Readable } from "node:stream";
import { isSessionError } from "@sessions/core";
import type { FastifyReply } from "fastify";
import { describe, expect, test } from "vitest";
import { ask, cookieOf, gate, start, stored, visitor } from "./support.ts";

/** Every way to reply in Fastify, with the status and the text. */
const ANSWERS: [string, number, string, (reply: FastifyReply) => unknown][] = [
  ["a text that is returned", 200, "done", () => "done"],
  ["JSON", 200, '{"a":1}', () => ({ a: 1 })],
  ["reply.send", 201, "done", (reply) => reply.code(201).send("done")],
  ["a buffer", 200, "done", (reply) => reply.send(Buffer.from("done"))],
  ["a stream", 201, "done", (reply) => reply.code(201).send(Readable.from(["do", "ne"]))],
  ["a web stream", 200, "done", (reply) => reply.send(new Blob(["done"]).stream())],
  ["a Response", 201, "done", () => new Response("done", { status: 201 })],
  ["a redirect", 302, "", (reply) => reply.redirect("/welcome")],
  ["no content", 204, "", (reply) => reply.code(204).send()],
  ["reply.callNotFound", 404, "not here", (reply) => void reply.callNotFound()],
  [
    "reply.hijack",
    201,
    "done",
    (reply) => {
      reply.hijack();
      reply.raw.writeHead(201).end("done");
    },
  ],
];

describe.each(ANSWERS)("%s", (name, status, text, finish) => {
  const app = () =>
    start((fastify) => {
      fastify.setNotFoundHandler((_request, reply) => reply.code(404).send("not here"));
      fastify.get("/", async (request, reply) => {
        request.session.store("app").set("n", 2);
        return finish(reply);
      });
    });

  test("goes out once the first write is stored, with its cookie", async () => {
    const running = await app();
    const reached = gate();
    const held = gate();
    running.backend.beforeWrite = () => {
      reached.open();
      return held.opened;
    };
    let came = false;
    const asked = ask(running).then((answer) => {
      came = true;
      return answer;
    });
    await reached.opened;
    expect(came).toBe(false);
    held.open();
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([status, text]);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(await stored(running, cookieOf(answer))).toBe(2);
  });

  test("does the same under inject()", async () => {
    const running = await app();
    const { statusCode, body, cookies } = await running.fastify.inject("/");
    expect([statusCode, body]).toEqual([status, text]);
    expect(await stored(running, cookies.map((cookie) => `${cookie.name}=${cookie.value}`).join("; "))).toBe(
      2,
    );
  });

  test("is not sent if the session cannot be stored: the error handling replies", async () => {
    const running = await app();
    running.backend.down.add("create");
    const answer = await ask(running);
    const status = name === "reply.hijack" ? 500 : 503;
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(
      // Fastify does not reply itself for a hijacked reply.
      name === "reply.hijack" ? "Internal Server Error" : "ERR_SESSION_UNAVAILABLE",
    );
    expect([answer.headers.getSetCookie(), answer.headers.get("location")]).toEqual([[], null]);
    expect(running.errors).toEqual([expect.objectContaining({ code: "ERR_SESSION_UNAVAILABLE" })]);
    const injected = await running.fastify.inject("/");
    expect([injected.statusCode, injected.cookies]).toEqual([status, []]);
  });
});

test("a request without a cookie that writes nothing costs nothing, and one with a cookie costs one read", async () => {
  const app = await start((fastify) => fastify.get("/", (request) => String(request.session.isNew)));
  const first = await ask(app);
  expect([await first.text(), first.headers.getSetCookie(), first.headers.get("cache-control")]).toEqual([
    "true",
    [],
    null,
  ]);
  expect(app.backend.calls).toEqual([]);
  expect(await (await ask(app, await visitor(app))).text()).toBe("false");
  expect(app.backend.calls).toEqual(["load"]);
});

test("the application's own cookies stay, and so does its Cache-Control where it keeps shared caches out", async () => {
  const app = await start((fastify) =>
    fastify.get("/", (request, reply) => {
      request.session.store("app").set("n", 2);
      reply.header("Set-Cookie", "a=1").header("Set-Cookie", "b=2").header("Cache-Control", "private");
      reply.send("done");
    }),
  );
  const answer = await ask(app);
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2", expect.stringMatching(/^sid=/)]);
  expect(answer.headers.get("cache-control")).toBe("private");
});

test("what an onSend hook writes is committed, with the first write of a session too", async () => {
  const app = await start((fastify) => {
    fastify.addHook("onSend", async (request) => {
      request.session.store("app").set("n", 3);
    });
    fastify.get("/", () => "done");
  });
  expect(await stored(app, cookieOf(await ask(app)))).toBe(3);
});

test("what a stream writes after the headers is committed before its end", async () => {
  const written = gate();
  const app = await start((fastify) =>
    fastify.get("/", ({ session }, reply) =>
      reply.send(
        Readable.from(
          (async function* () {
            yield "do";
            await written.opened;
            session.store("app").set("n", 3);
            yield "ne";
          })(),
        ),
      ),
    ),
  );
  const cookie = await visitor(app);
  const answer = await ask(app, cookie);
  written.open();
  expect(await answer.text()).toBe("done");
  expect(await stored(app, cookie)).toBe(3);
});

test("writes of requests that overlap are all kept", async () => {
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  const all = gate();
  let waiting = 0;
  const app = await start((fastify) =>
    fastify.get<{ Params: { key: string } }>("/:key", async (request) => {
      request.session.store("app").set(request.params.key, true);
      if (++waiting === keys.length) all.open();
      await all.opened;
    }),
  );
  const cookie = await visitor(app);
  await Promise.all(keys.map((key) => ask({ ...app, url: `${app.url}/${key}` }, cookie)));
  const store = (await app.sessions.open(cookie)).store("app");
  expect(keys.filter((key) => store.get(key) !== true)).toEqual([]);
});

test("a login gives a new session, and ends the old one", async () => {
  const app = await start((fastify) =>
    fastify.get("/", (request, reply) => {
      request.session.login("ada");
      reply.redirect("/welcome");
    }),
  );
  const old = await visitor(app);
  const session = await app.sessions.open(cookieOf(await ask(app, old)));
  expect([session.principal, session.store("app").get("n")]).toEqual(["ada", 1]);
  expect((await app.sessions.open(old)).isNew).toBe(true);
});

test("a session that ended elsewhere is no error, and gets no cookie", async () => {
  const app = await start((fastify, sessions) =>
    fastify.get("/", async (request) => {
      await sessions.destroy(request.session.id);
      request.session.store("app").set("n", 2);
      return "done";
    }),
  );
  const answer = await ask(app, await visitor(app));
  expect([await answer.text(), answer.headers.getSetCookie(), app.errors]).toEqual(["done", [], []]);
});

test("a backend that is down at the read is an error, and no fresh session", async () => {
  let handled = false;
  const app = await start((fastify) => {
    fastify.setErrorHandler((error, request, reply) =>
      reply.code(503).send(`${isSessionError(error, "ERR_SESSION_UNAVAILABLE")} ${request.session}`),
    );
    fastify.get("/", () => {
      handled = true;
    });
  });
  const cookie = await visitor(app);
  app.backend.down.add("load");
  const answer = await ask(app, cookie);
  expect([answer.status, await answer.text(), handled]).toEqual([503, "true undefined", false]);
  expect(answer.headers.getSetCookie()).toEqual([]);
});
