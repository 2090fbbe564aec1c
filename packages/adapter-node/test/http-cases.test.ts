import { once } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import http2 from "node:http2";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isSessionError, type Session } from "@sessions/core";
import {
  type Application,
  type Listener,
  listenTo,
  optionsOf,
  type Reply,
  type Start,
  testHttpCases,
} from "@sessions/http-cases";
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

/** The middleware that listens, if it is mounted in this place. */
function listen(
  { listener }: Application,
  mounted: Listener["mounted"],
  req: Visited,
  res: ServerResponse,
): void {
  if (listener?.mounted === mounted) listenTo(res, listener, () => req.session);
}

/** All middlewares but an error handler. */
function stack(
  application: Application,
): ((req: Visited, res: ServerResponse, next: (error?: unknown) => void) => void)[] {
  return [
    (req, res, next) => {
      listen(application, "before", req, res);
      next();
    },
    sessionMiddleware(application.sessions, optionsOf(application)),
    (req, res, next) => {
      listen(application, "after", req, res);
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
      listen(application, "before", req, res);
      req.session = await openSession(application.sessions, req, res, optionsOf(application));
      listen(application, "after", req, res);
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

const start =
  (build: (application: Application) => RequestListener): Start =>
  async (application) => {
    const stopHearing = hearWarnings(application);
    const server = http.createServer(build(application));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    return {
      port: typeof address === "object" && address ? address.port : 0,
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
      port: typeof address === "object" && address ? address.port : 0,
      close() {
        stopHearing();
        server.close();
      },
    };
  };

for (const [name, build] of Object.entries(servers)) {
  describe(name, () => {
    // Neither version of Express supports HTTP/2.
    const http2 = name.startsWith("Express") ? {} : { http2: startHttp2(build) };
    testHttpCases({ test, start: start(build), listens: true, ...http2 });
  });
}
