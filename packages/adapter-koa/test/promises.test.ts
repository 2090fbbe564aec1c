import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import type { Server } from "node:net";
import { Readable } from "node:stream";
import { type Application, type Server as Running, testAdapter } from "@sessions/adapter-conformance";
import Koa from "koa";
import { describe, test } from "vitest";
import { sessionMiddleware } from "../src/index.ts";

function build(application: Application): Koa {
  const { sessions, handler, onError, before, after } = application;
  const app = new Koa();
  app.on("error", (error: NodeJS.ErrnoException) => {
    // Koa also reports a stream whose response ended first. It follows from the first error, so it does not count.
    if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") onError(error);
  });
  app.use((ctx, next) => {
    before(ctx.res, () => ("session" in ctx ? ctx.session : undefined));
    return next();
  });
  app.use(sessionMiddleware(sessions, application.options));
  app.use((ctx, next) => {
    after(ctx.res, () => ctx.session);
    return next();
  });
  app.use(async (ctx) => {
    const { method, url, session } = ctx;
    const { status = 200, headers = {}, body, redirect } = await handler({ session, method, url });
    for (const [name, value] of Object.entries(headers))
      ctx.set(name, typeof value === "string" ? value : [...value]);
    ctx.status = redirect === undefined ? status : 303;
    if (redirect !== undefined) ctx.redirect(redirect);
    else ctx.body = typeof body === "object" ? Readable.from(body) : (body ?? "");
  });
  return app;
}

async function listen(server: Server, drop: () => void): Promise<Running> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    close() {
      drop();
      server.close();
    },
  };
}

const abilities = ["streams", "node", "touch", "vary"] as const;

describe("Koa", () => {
  testAdapter({
    test,
    target: {
      name: "Koa",
      abilities,
      start(application) {
        const server = http.createServer(build(application).callback());
        return listen(server, () => server.closeAllConnections());
      },
    },
  });
});

describe("Koa over HTTP/2", () => {
  testAdapter({
    test,
    target: {
      name: "Koa",
      abilities,
      http2: true,
      start(application) {
        const server = http2.createServer(build(application).callback());
        const opened = new Set<http2.ServerHttp2Session>();
        server.on("session", (session) => opened.add(session));
        return listen(server, () => {
          for (const session of opened) session.destroy();
        });
      },
    },
  });
});
