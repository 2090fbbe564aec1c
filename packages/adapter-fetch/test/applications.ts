import type { Ability, Application, Reply, Visit } from "@sessions/adapter-conformance";
import { Hono } from "hono";
import { withSession } from "../src/index.ts";
import { type Sessioned, useSessions } from "./hono-middleware.ts";

/** A server calls it for each request. */
export type Fetch = (request: Request) => Response | Promise<Response>;

/** Makes a `Response`, as handlers of the Fetch API do. */
function responseOf({ status, headers = {}, body, redirect }: Reply, request: Request): Response {
  // Its headers are immutable.
  if (redirect !== undefined) return Response.redirect(new URL(redirect, request.url), 303);
  const list = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
  const stream = typeof body === "object" ? ReadableStream.from(body) : (body ?? null);
  return new Response(stream, { status: status ?? 200, headers: list });
}

const visitOf = (session: Visit["session"], request: Request): Visit => {
  const { pathname, search } = new URL(request.url);
  return { session, method: request.method, url: pathname + search };
};

/** Catches the adapter's errors, as a framework does. */
const plain: Build = (application) => async (request) => {
  const { sessions, options, handler, onError } = application;
  try {
    return await withSession(
      sessions,
      request,
      async (session) => responseOf(await handler(visitOf(session, request)), request),
      options,
    );
  } catch (error) {
    onError(error);
    return new Response("error page", { status: 500 });
  }
};

const hono: Build = (application) => {
  const { sessions, options, handler, onError } = application;
  const app = new Hono<Sessioned>();
  useSessions(app, sessions, options);
  app.all("*", async (c) => {
    const reply = await handler(visitOf(c.var.session, c.req.raw));
    return reply.redirect === undefined ? responseOf(reply, c.req.raw) : c.redirect(reply.redirect, 303);
  });
  app.onError((error, c) => {
    onError(error);
    return c.text("error page", 500);
  });
  return (request) => app.fetch(request);
};

/** Builds an application that returns a `Response` for a `Request`. */
export type Build = (application: Application) => Fetch;

/** There is no response of `node:http`. */
export const abilities: readonly Ability[] = ["streams", "touch", "vary"];

/** The applications, by framework. */
export const applications: Readonly<Record<string, Build>> = {
  "Fetch handler": plain,
  Hono: hono,
};
