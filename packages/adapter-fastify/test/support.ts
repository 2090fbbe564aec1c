import { type Backend, createBackend } from "@sessions/adapter-conformance";
import { createSessionManager, type SessionManager, type SessionManagerOptions } from "@sessions/core";
import createFastify, { type FastifyInstance } from "fastify";
import { onTestFinished } from "vitest";
import { sessionPlugin } from "../src/index.ts";

export interface App {
  readonly sessions: SessionManager;
  readonly backend: Backend;
  readonly url: string;
  readonly fastify: FastifyInstance;
  /** Everything that was logged as an error. */
  readonly errors: unknown[];
}

interface AppOptions extends SessionManagerOptions {
  readonly lazy?: boolean;
  /** Called before the plugin is registered. */
  readonly before?: (fastify: FastifyInstance) => unknown;
}

/** Starts Fastify on a socket: the plugin, then the routes that `build` adds. */
export async function start(
  build: (fastify: FastifyInstance, sessions: SessionManager) => unknown,
  { before, lazy, ...options }: AppOptions = {},
): Promise<App> {
  const backend = createBackend();
  const sessions = createSessionManager({ driver: backend.driver, ...options });
  const errors: unknown[] = [];
  const stream = { write: (line: string) => errors.push(JSON.parse(line).err) };
  const fastify = createFastify({ logger: { level: "error", stream }, forceCloseConnections: true });
  onTestFinished(() => fastify.close());
  before?.(fastify);
  fastify.register(sessionPlugin, { sessions, lazy });
  build(fastify, sessions);
  return { sessions, backend, errors, fastify, url: await fastify.listen({ port: 0, host: "127.0.0.1" }) };
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
