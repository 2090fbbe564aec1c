import type { IncomingMessage, ServerResponse } from "node:http";
import { createSessionManager } from "@sessions/core";
import connect from "connect";
import express5 from "express";
import { describe, expect, test } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";
import { ask, cookieOf, createBackend, listen } from "./support.ts";

type Use = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
const create = () => {
  const backend = createBackend();
  return { backend, sessions: createSessionManager({ driver: backend.driver }) };
};

describe("misuse is an error at once", () => {
  const errorOf = async (...middlewares: Use[]): Promise<unknown> => {
    let seen: unknown;
    const server = connect();
    for (const middleware of middlewares) server.use(middleware);
    server.use((_req: IncomingMessage, res: ServerResponse) => res.end());
    server.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) => {
      seen = error;
      res.statusCode = 500;
      res.end();
    });
    await ask(await listen(server));
    return seen;
  };
  const twice = expect.objectContaining({
    name: "TypeError",
    message: expect.stringMatching(/Mount one session middleware, and only once/),
  });

  test("one manager's middleware mounted twice", async () => {
    const { sessions } = create();
    expect(await errorOf(sessionMiddleware(sessions), sessionMiddleware(sessions))).toEqual(twice);
  });

  test("lazily mounted twice", async () => {
    const lazy = sessionMiddleware(create().sessions, { lazy: true });
    expect(await errorOf(lazy, lazy)).toEqual(twice);
  });

  test("middlewares of two managers", async () => {
    expect(await errorOf(sessionMiddleware(create().sessions), sessionMiddleware(create().sessions))).toEqual(
      twice,
    );
  });

  test("another library's req.session", async () => {
    const theirs: Use = (req, _res, next) => {
      Object.assign(req, { session: {} });
      next();
    };
    expect(await errorOf(theirs, sessionMiddleware(create().sessions))).toEqual(twice);
  });

  test("the middleware behind an openSession of its own manager", async () => {
    const { sessions } = create();
    const early: Use = (req, res, next) => {
      openSession(sessions, req, res).then(() => next(), next);
    };
    expect(await errorOf(early, sessionMiddleware(sessions))).toEqual(twice);
  });

  test("openSession with a manager that is not the middleware's", async () => {
    const wrong: Use = (req, res, next) => {
      openSession(create().sessions, req, res).then(() => next(), next);
    };
    expect(await errorOf(sessionMiddleware(create().sessions), wrong)).toEqual(
      expect.objectContaining({
        name: "TypeError",
        message: expect.stringMatching(/another session manager/),
      }),
    );
  });

  test("something that is not a manager", () => {
    // @ts-expect-error no manager
    expect(() => sessionMiddleware({})).toThrow(TypeError);
    // @ts-expect-error nothing at all
    expect(() => sessionMiddleware()).toThrow(TypeError);
  });
});

describe("openSession", () => {
  test("returns one promise for each request, behind the middleware too", async () => {
    const { sessions, backend } = create();
    const server = express5().use(sessionMiddleware(sessions));
    server.use(async (req, res) => {
      const first = openSession(sessions, req, res);
      const same = first === openSession(sessions, req, res) && (await first) === req.session;
      res.json(same);
    });
    const made = sessions.create();
    const { setCookie = "" } = await made.commit();
    backend.calls.length = 0;
    const answer = await ask(await listen(server), {
      headers: { cookie: cookieOf({ cookies: [setCookie] }) },
    });
    expect([answer.text, backend.calls]).toEqual(["true", ["load"]]);
  });

  test("after the headers went out is refused", async () => {
    const { sessions } = create();
    let code: unknown;
    const port = await listen(async (req, res) => {
      res.write("a");
      await openSession(sessions, req, res).catch((error: NodeJS.ErrnoException) => {
        code = error.code;
      });
      res.end("b");
    });
    expect((await ask(port)).text).toBe("ab");
    expect(code).toBe("ERR_SESSION_HEADERS_SENT");
  });

  test("passes the error of a commit to the first call's onError, which sends the error page", async () => {
    const { sessions, backend } = create();
    backend.down.add("create");
    const port = await listen(async (req, res) => {
      res.setHeader("X-Before", "kept");
      const session = await openSession(sessions, req, res, {
        onError(error) {
          res.end(`${res.statusCode} ${res.headersSent} ${(error as NodeJS.ErrnoException).code}`);
        },
      });
      session.store("app").set("n", 2);
      res.writeHead(201, { "X-Handler": "yes" }).end("done");
    });
    const answer = await ask(port);
    expect([answer.status, answer.text]).toEqual([500, "500 false ERR_SESSION_UNAVAILABLE"]);
    expect(answer.headers).toHaveProperty("x-before");
    expect(answer.headers).not.toHaveProperty("x-handler");
    expect(answer.cookies).toEqual([]);
  });

  test("that is not awaited still holds the response back", async () => {
    const { sessions, backend } = create();
    const made = sessions.create();
    const { setCookie = "" } = await made.commit();
    const port = await listen((req, res) => {
      void openSession(sessions, req, res).then((session) => session.store("app").set("n", 2));
      res.end("done");
    });
    const cookie = cookieOf({ cookies: [setCookie] });
    expect((await ask(port, { headers: { cookie } })).text).toBe("done");
    expect((await sessions.open(cookie)).store("app").get("n")).toBe(2);
    expect(backend.calls).toEqual(["create", "load", "commit", "load"]);
  });
});

// `res.end(await …)` looks `end` up before openSession() replaces it.
test("res.end(await openSession(…)) that would not wait for a commit: a warning says why, and no response goes out", async () => {
  const { sessions } = create();
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const port = await listen(async (req, res) => {
    const count = async () => (await openSession(sessions, req, res)).store("app").update("n", () => 1);
    res.end(String(await count()));
  });
  await expect(ask(port)).rejects.toThrow();
  expect((await warned).message).toContain("Await openSession() in a statement before res.end()");
});

describe("lazy", () => {
  const server = (sessions: ReturnType<typeof create>["sessions"]) => {
    const app = express5().set("env", "test");
    app.use(sessionMiddleware(sessions, { lazy: true }));
    app.get("/none", (_req, res) => void res.send("none"));
    app.get("/early", (req, res) => void res.send(String(req.session.id)));
    app.use(async (req, res) => {
      const session = await openSession(sessions, req, res);
      session.store("app").set("n", req.url);
      res.send(String(session === req.session));
    });
    return app;
  };

  test("reads nothing for a handler that does not ask", async () => {
    const { sessions, backend } = create();
    const port = await listen(server(sessions));
    await ask(port, { path: "/none", headers: { cookie: `sid=${"0".repeat(32)}.${"A".repeat(43)}` } });
    expect(backend.calls).toEqual([]);
  });

  test("reads and commits for a handler that asks; then req.session is there", async () => {
    const { sessions } = create();
    const answer = await ask(await listen(server(sessions)), { path: "/asks" });
    expect(answer.text).toBe("true");
    expect((await sessions.open(cookieOf(answer))).store("app").get("n")).toBe("/asks");
  });

  test("says what to do where req.session is used too early", async () => {
    const answer = await ask(await listen(server(create().sessions)), { path: "/early" });
    expect(answer.status).toBe(500);
    expect(answer.text).toContain("await openSession(sessions, req, res) first");
  });

  test("passes the error of a failed commit to next", async () => {
    const { sessions, backend } = create();
    backend.down.add("create");
    const answer = await ask(await listen(server(sessions)), { path: "/asks" });
    expect(answer.status).toBe(503);
    expect(answer.text).toContain("create is down");
  });
});
