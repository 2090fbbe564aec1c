import { once } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import http2 from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Application, type Reply, type Target, testAdapter } from "@sessions/adapter-conformance";
import { isSessionError, type Session } from "@sessions/core";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import { describe, test } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";

async function answer(res: ServerResponse, { status, headers = {}, body, redirect }: Reply): Promise<void> {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (redirect !== undefined) res.writeHead(303, { Location: redirect });
  else res.statusCode = status ?? 200;
  if (body === undefined || typeof body === "string") res.end(body);
  // A response that is cut also reports the error here.
  else await pipeline(Readable.from(body), res).catch(() => undefined);
}

type Visited = IncomingMessage & { session?: Session };

async function handle({ handler }: Application, req: Visited, res: ServerResponse): Promise<void> {
  if (!req.session) throw new Error("the session is not ready");
  await answer(res, await handler({ session: req.session, method: req.method ?? "", url: req.url ?? "" }));
}

/** All middlewares but an error handler. */
function stack(
  application: Application,
): ((req: Visited, res: ServerResponse, next: (error?: unknown) => void) => void)[] {
  return [
    (req, res, next) => {
      application.before(res, () => req.session);
      next();
    },
    sessionMiddleware(application.sessions, application.options),
    (req, res, next) => {
      application.after(res, () => req.session);
      handle(application, req, res).catch(next);
    },
  ];
}

/** An error page like those of applications. */
function errorPage({ onError }: Application, error: unknown, res: ServerResponse): void {
  onError(error);
  res.statusCode = 500;
  res.end("error page");
}

const servers: Record<string, (application: Application) => RequestListener> = {
  "node:http": (application) => async (req: Visited, res) => {
    try {
      application.before(res, () => req.session);
      req.session = await openSession(application.sessions, req, res, application.options);
      application.after(res, () => req.session);
      await handle(application, req, res);
    } catch (error) {
      errorPage(application, error, res);
    }
  },
  Connect(application) {
    const app = connect();
    for (const middleware of stack(application)) app.use(middleware);
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
      errorPage(application, error, res),
    );
    return app;
  },
  "Express 4"(application) {
    const app = express4();
    for (const middleware of stack(application)) app.use(middleware);
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
      errorPage(application, error, res),
    );
    return app;
  },
  "Express 5"(application) {
    const app = express5();
    for (const middleware of stack(application)) app.use(middleware);
    app.use((error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
      errorPage(application, error, res),
    );
    return app;
  },
};

/** Without a framework the error of a failed commit is a warning of the process. */
function hearWarnings({ onError }: Application): () => void {
  const heard = (warning: Error): void => {
    if (isSessionError(warning)) onError(warning);
  };
  process.on("warning", heard);
  return () => process.off("warning", heard);
}

type Start = Target["start"];

const start =
  (build: (application: Application) => RequestListener): Start =>
  async (application) => {
    const stopHearing = hearWarnings(application);
    const server = http.createServer(build(application));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    return {
      url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      close() {
        stopHearing();
        server.closeAllConnections();
        server.close();
      },
    };
  };

const startHttp2 =
  (build: (application: Application) => RequestListener): Start =>
  async (application) => {
    const stopHearing = hearWarnings(application);
    const listener = build(application);
    const server = http2.createServer((req, res) =>
      // They have the members that the adapter uses, but share no type with HTTP/1.
      listener(
        req as unknown as IncomingMessage,
        res as unknown as ServerResponse<IncomingMessage> & { req: IncomingMessage },
      ),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    return {
      url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      close() {
        stopHearing();
        server.close();
      },
    };
  };

for (const [name, build] of Object.entries(servers)) {
  const abilities = ["streams", "node", "touch", "vary"] as const;
  describe(name, () => {
    testAdapter({ test, target: { name, abilities, start: start(build) } });
  });
  // Neither version of Express supports HTTP/2.
  if (name.startsWith("Express")) continue;
  describe(`${name} over HTTP/2`, () => {
    testAdapter({ test, target: { name, abilities, http2: true, start: startHttp2(build) } });
  });
}
