import { readFile } from "node:fs/promises";
import { type Application, type Start, testHttpCases } from "@sessions/http-cases";
import { Hono } from "hono";
import { describe, expect, test } from "vitest";
import { type Sessioned, useSessions } from "./hono-middleware.ts";
import { listen, reply } from "./support.ts";

function build(application: Application): Hono<Sessioned> {
  const app = new Hono<Sessioned>();
  useSessions(app, application.sessions);
  app.all("*", async (c) => {
    const redirected = await application.handler({
      session: c.var.session,
      method: c.req.method,
      url: c.req.path,
    });
    return redirected.redirect === undefined
      ? reply({ ...application, handler: () => redirected }, c.var.session, c.req.raw)
      : c.redirect(redirected.redirect, 303);
  });
  app.onError((error, c) => {
    application.onError(error);
    return c.text("error page", 500);
  });
  return app;
}

const start =
  (version: 1 | 2): Start =>
  (application) =>
    listen((request) => build(application).fetch(request), version);

describe("Hono", () => {
  testHttpCases({ test, start: start(1), http2: start(2) });

  test("the middleware is the README's", async () => {
    const [readme, middleware] = await Promise.all(
      ["../README.md", "hono-middleware.ts"].map((path) => readFile(new URL(path, import.meta.url), "utf8")),
    );
    const shown = /app\.use\(.*?\n {2}\}\);\n/s.exec(middleware ?? "")?.[0].replace(/^ {2}/gm, "");
    expect(shown).toContain("withSession(");
    expect(readme).toContain(shown);
  });
});
