import type http from "node:http";
import { createSessionManager, type Session, type SessionInfo, type SessionManager } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import { describe, expect, test } from "vitest";
import {
  openSession,
  type SessionMiddlewareOptions,
  sessionErrors,
  sessionMiddleware,
} from "../src/index.ts";
import { type Answer, ask, cookieOf, listen } from "./support.ts";

type Visited = http.IncomingMessage & { session: Session };
type Next = (error?: unknown) => void;
type Handler = (req: Visited, res: http.ServerResponse, next: Next) => unknown;
type ErrorHandler = (error: unknown, req: Visited, res: http.ServerResponse, next: Next) => unknown;
type App = http.RequestListener & { use(middleware: never): unknown };

const frameworks: Record<string, () => App> = {
  Connect: connect as never,
  "Express 4": express4 as never,
  "Express 5": express5 as never,
};

/** Error handlers whose status reports no error. */
const hiding: Record<string, ErrorHandler> = {
  "redirects with 302": (_error, _req, res) => res.writeHead(302, { location: "/sorry" }).end(),
  "answers with 200": (_error, _req, res) => {
    res.statusCode = 200;
    res.end("sorry");
  },
};

/** Ways in which a handler fails. */
const failing: Record<string, Handler> = {
  throws() {
    throw new Error("of the handler");
  },
  "calls next(error)": (_req, _res, next) => next(new Error("of the handler")),
  "fails later": (_req, _res, next) => void setImmediate(() => next(new Error("of the handler"))),
};

interface Running {
  readonly sessions: SessionManager;
  readonly come: (path?: string, cookie?: string) => Promise<Answer>;
  readonly live: () => Promise<SessionInfo[]>;
}

async function run(
  framework: string,
  handler: Handler,
  errorHandler: ErrorHandler,
  options: SessionMiddlewareOptions = {},
): Promise<Running> {
  const sessions = createSessionManager({ driver: memoryDriver() });
  const app = frameworks[framework]?.();
  if (!app) throw new Error(`There is no ${framework}`);
  for (const each of [
    sessionMiddleware(sessions, options),
    async (req: Visited, res: http.ServerResponse, next: Next) => {
      if (options.lazy)
        Object.defineProperty(req, "session", { value: await openSession(sessions, req, res) });
      next();
    },
    handler,
    sessionErrors(),
    // The frameworks recognize an error handler by its four parameters.
    (error: unknown, req: Visited, res: http.ServerResponse, next: Next) =>
      errorHandler(error, req, res, next),
  ])
    app.use(each as never);
  const port = await listen(app);
  return {
    sessions,
    come: (path = "/", cookie = "") => ask(port, { path, headers: cookie ? { cookie } : {} }),
    async live() {
      const all: SessionInfo[] = [];
      for await (const each of sessions.list()) all.push(each);
      return all;
    },
  };
}

/** A cookie of a session with `{ app: { n: 1 } }`. */
async function visitor(sessions: SessionManager): Promise<string> {
  const session = sessions.create();
  session.store("app").set("n", 1);
  const { setCookie = "" } = await session.commit();
  return cookieOf({ cookies: [setCookie] });
}

const sides = Object.keys(frameworks).flatMap((framework) =>
  Object.keys(hiding).map((how) => ({ framework, how })),
);
const known = <T>(record: Record<string, T>, name: string): T => record[name] as T;

describe.each(sides)("on $framework, before an error handler that $how", ({ framework, how }) => {
  const answers = known(hiding, how);
  const status = how.includes("302") ? 302 : 200;

  test.each(Object.keys(failing))("a handler that logs in and then %s logs nobody in", async (name) => {
    const app = await run(
      framework,
      (req, res, next) => {
        req.session.login("ada");
        req.session.store("app").set("n", 2);
        return known(failing, name)(req, res, next);
      },
      answers,
    );
    const guest = await app.come();
    expect([guest.status, guest.cookies, await app.live()]).toEqual([status, [], []]);
    const cookie = await visitor(app.sessions);
    const came = await app.come("/", cookie);
    expect([came.status, came.cookies]).toEqual([status, []]);
    const after = await app.sessions.open(cookie);
    expect([after.principal, after.store("app").get("n")]).toEqual([undefined, 1]);
    expect(await app.live()).toMatchObject([{ principal: undefined }]);
  });

  test("what the handler committed itself stays", async () => {
    const app = await run(
      framework,
      async (req, _res, next) => {
        req.session.login("ada");
        await req.session.commit();
        req.session.store("app").set("n", 2);
        next(new Error("of the handler"));
      },
      answers,
    );
    const came = await app.come();
    const after = await app.sessions.open(cookieOf(came));
    expect([after.principal, after.store("app").get("n")]).toEqual(["ada", undefined]);
  });

  test("what the error handler writes itself is stored", async () => {
    const app = await run(
      framework,
      (req) => {
        req.session.login("ada");
        throw new Error("of the handler");
      },
      (error, req, res, next) => {
        req.session.store("app").set("flash", "sorry");
        return answers(error, req, res, next);
      },
    );
    const after = await app.sessions.open(cookieOf(await app.come()));
    expect([after.principal, after.store("app").get("flash")]).toEqual([undefined, "sorry"]);
  });

  test("the same holds for a lazy middleware", async () => {
    const app = await run(
      framework,
      (req) => {
        req.session.login("ada");
        throw new Error("of the handler");
      },
      answers,
      { lazy: true },
    );
    const came = await app.come();
    expect([came.status, came.cookies, await app.live()]).toEqual([status, [], []]);
  });
});

describe.each(Object.keys(frameworks))("on %s", (framework) => {
  test("without an error nothing is dropped", async () => {
    const app = await run(
      framework,
      (req, res) => {
        req.session.login("ada");
        req.session.store("app").set("n", 2);
        res.end("done");
      },
      (_error, _req, res) => res.end("sorry"),
    );
    for (const cookie of [undefined, await visitor(app.sessions)]) {
      const came = await app.come("/", cookie);
      const after = await app.sessions.open(cookieOf(came));
      expect([came.text, after.principal, after.store("app").get("n")]).toEqual(["done", "ada", 2]);
    }
  });

  test("a lazy session that was never opened, and a request without any, pass the error on", async () => {
    for (const options of [{ lazy: true }, undefined]) {
      const sessions = createSessionManager();
      const app = known(frameworks, framework)();
      if (options) app.use(sessionMiddleware(sessions, options) as never);
      app.use(known(failing, "throws") as never);
      app.use(sessionErrors() as never);
      app.use(((error: unknown, _req: unknown, res: http.ServerResponse, _next: Next) =>
        res.end(String(error))) as never);
      expect((await ask(await listen(app))).text).toBe("Error: of the handler");
    }
  });
});
