import http from "node:http";
import type { AddressInfo } from "node:net";
import { type Backend, createBackend } from "@sessions/adapter-conformance";
import { createSessionManager, type SessionManager, type SessionManagerOptions } from "@sessions/core";
import Koa from "koa";
import { onTestFinished } from "vitest";
import { type SessionMiddlewareOptions, sessionMiddleware } from "../src/index.ts";

export interface App {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  readonly url: string;
  /** The errors that reached `app.on("error")`. */
  readonly errors: unknown[];
}

interface AppOptions extends SessionManagerOptions, SessionMiddlewareOptions {
  /** Mounted before the session middleware. */
  readonly before?: Koa.Middleware;
}

/** Starts a Koa application on a socket: the session middleware, then the one that `build` returns. */
export async function start(
  build: (sessions: SessionManager) => Koa.Middleware,
  { before, lazy, ...options }: AppOptions = {},
): Promise<App> {
  const backend = createBackend();
  const sessions = createSessionManager({ driver: backend.driver, ...options });
  const errors: unknown[] = [];
  const app = new Koa();
  app.on("error", (error) => errors.push(error));
  if (before) app.use(before);
  app.use(sessionMiddleware(sessions, { lazy }));
  app.use(build(sessions));
  const server = http.createServer(app.callback());
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on a port has no pipe's name.
  return { sessions, backend, errors, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Sends a request with a cookie, without following redirects. Resolves when the headers are there. */
export const ask = ({ url }: App, cookie?: string, init: RequestInit = {}): Promise<Response> =>
  fetch(url, { redirect: "manual", ...init, headers: { ...init.headers, ...(cookie && { cookie }) } });

/** The Cookie header that a browser would send next. */
export const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");

/** Makes a session that holds `{ app: { n: 1 } }`, without a request. Returns its cookie. */
export async function visitor({ sessions, backend }: App): Promise<string> {
  const session = await sessions.open(undefined);
  session.store("app").set("n", 1);
  const { setCookie = "" } = await session.commit();
  backend.calls.length = 0;
  return setCookie.split(";")[0] ?? "";
}

/** Reads `app/<key>` of a cookie's session from the backend. */
export async function stored({ sessions }: App, cookie: string, key = "n"): Promise<unknown> {
  return (await sessions.open(cookie)).store("app").get(key);
}

/** A promise and the function that resolves it. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
