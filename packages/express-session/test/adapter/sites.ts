import { createServer, type IncomingMessage, type RequestListener, request } from "node:http";
import type { AddressInfo } from "node:net";
import { sessionMiddleware } from "@sessions/adapter-node";
import {
  createSessionManager,
  type Driver,
  DriverUnavailableError,
  type Session,
  type SessionManager,
} from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import express, { type ErrorRequestHandler, type Express } from "express";
import session, { type SessionOptions } from "express-session";
import { expect, onTestFinished } from "vitest";
import { type AdoptExpressSessionOptions, adoptExpressSession, type StoreLike } from "../../src/index.ts";

export const SECRET = "it is a secret to nobody";

/** What the old site kept of a visitor. */
export interface Old {
  readonly userId?: string;
  readonly cart?: string[];
}
export const ADA: Old = { userId: "ada", cart: ["tea"] };

/** What ends the old cookie. */
export const ENDED: unknown = expect.stringMatching(/^connect\.sid=; Path=\/; Max-Age=0; .*HttpOnly/);
/** What gives the new one. */
export const OURS: unknown = expect.stringMatching(
  /^sid=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
);

/** Listens on a free port until the test is over. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cookies: readonly string[];
  readonly headers: Headers;
}

export async function ask(url: string, cookie: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { ...(cookie !== "" && { cookie }), ...Object.fromEntries(new Headers(init.headers)) };
  const response = await fetch(url, { redirect: "manual", ...init, headers });
  const { status, headers: answered } = response;
  return { status, text: await response.text(), cookies: answered.getSetCookie(), headers: answered };
}

/** The Cookie header that a browser would send next, of what it was given. */
export const cookieOf = (cookies: readonly string[]): string =>
  cookies
    .filter((cookie) => !/max-age=0/i.test(cookie))
    .map((cookie) => cookie.split(";", 1)[0] ?? "")
    .join("; ");

/** The cookie that a site with express-session gives to a visitor, and the id in it. */
export async function visitOldSite(
  store: session.Store,
  kept: Old = ADA,
  options: Partial<SessionOptions> = {},
): Promise<{ cookie: string; sid: string }> {
  const app = express();
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: true, ...options }));
  app.get("/", (req, res) => {
    Object.assign(req.session, kept);
    res.send(Reflect.get(req, "sessionID"));
  });
  const { text, cookies } = await ask(await listen(app), "");
  return { cookie: cookieOf(cookies), sid: text };
}

/** What a store has under an id. */
export const kept = (store: StoreLike, sid: string): Promise<object | undefined> =>
  new Promise((resolve, reject) => {
    store.get(sid, (error, found) => (error ? reject(error) : resolve(found ?? undefined)));
  });

/** A store that counts its calls, and whose methods can be down. It is another object than `store`, as another process has. */
export function watched(store: StoreLike): StoreLike & { calls: string[]; down: Set<string> } {
  const reach = (method: string, fail: (error: Error) => void, go: () => unknown): void => {
    self.calls.push(method);
    if (self.down.has(method)) fail(new Error(`the old store's ${method} is down`));
    else go();
  };
  const self: ReturnType<typeof watched> = {
    calls: [],
    down: new Set(),
    get: (sid, done) => reach("get", done, () => store.get(sid, done)),
    set: (sid, data, done) => reach("set", done, () => store.set(sid, data, done)),
    destroy: (sid, done) => reach("destroy", done, () => store.destroy(sid, done)),
  };
  return self;
}

/** A driver that counts its calls, and can be down. */
export function backend(): { driver: Driver; calls: string[]; down: boolean } {
  const inner = memoryDriver();
  function reach<T>(call: string, go: () => Promise<T>): Promise<T> {
    self.calls.push(call);
    return self.down ? Promise.reject(new DriverUnavailableError("the backend is down")) : go();
  }
  const self: ReturnType<typeof backend> = {
    calls: [],
    down: false,
    driver: {
      name: "counting",
      create: (...args) => reach("create", () => inner.create(...args)),
      load: (...args) => reach("load", () => inner.load(...args)),
      commit: (...args) => reach("commit", () => inner.commit(...args)),
      destroy: (...args) => reach("destroy", () => inner.destroy(...args)),
      sweep: (...args) => reach("sweep", () => inner.sweep(...args)),
    },
  };
  return self;
}

/** What the new site makes of an old session. */
export function mapOld({ userId, cart }: Old, to: Session): void {
  if (userId !== undefined) to.login(userId);
  if (cart) to.store("cart").set("items", cart);
}

export interface NewSite extends ReturnType<typeof backend> {
  readonly url: string;
  readonly sessions: SessionManager;
  /** What reached the error handling. */
  readonly errors: unknown[];
}

interface NewSiteOptions extends Partial<AdoptExpressSessionOptions<Old>> {
  readonly lazy?: boolean;
  /** Adds its routes before those that every site has. */
  readonly routes?: (app: Express, sessions: SessionManager) => void;
  /** Runs in the error page. */
  readonly onError?: (req: express.Request) => unknown;
}

/** The site on ours, which adopts what `store` has. `/` tells who the visitor is, and what is in the cart. */
export async function startNewSite(
  store: StoreLike,
  { lazy = false, routes, onError, ...options }: NewSiteOptions = {},
): Promise<NewSite> {
  const own = backend();
  const sessions = createSessionManager({ driver: own.driver });
  const errors: unknown[] = [];
  const app = express();
  const adopt = adoptExpressSession({ store, secret: SECRET, map: mapOld, ...options });
  app.use(sessionMiddleware(sessions, { lazy, adopt }));
  routes?.(app, sessions);
  app.get("/", (req, res) => res.send(told(req.session)));
  const errorPage: ErrorRequestHandler = async (error, req, res, _next) => {
    errors.push(error);
    await onError?.(req);
    res.status(500).send("error page");
  };
  app.use(errorPage);
  return Object.assign(own, { url: await listen(app), sessions, errors });
}

export const told = (of: Session): string =>
  `${of.principal ?? "nobody"}: ${(of.store<{ items: string[] }>("cart").get("items") ?? []).join()}`;

/** `/visit` writes into a store of its own. */
export function visits(app: Express): void {
  app.get("/visit", (req, res) => {
    req.session.store("visits").set("last", 1);
    res.send(told(req.session));
  });
}

/** A promise, and what resolves it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Sends a request and goes away before it is answered, once `begun` has resolved. */
export async function leave(url: string, cookie: string, begun: Promise<unknown>): Promise<void> {
  const sent = request(url, { headers: { cookie }, agent: false });
  const closed = new Promise<void>((resolve) => {
    sent.once("close", resolve);
  });
  sent.on("error", () => undefined);
  sent.on("response", (response: IncomingMessage) => response.resume());
  sent.end();
  await begun;
  sent.destroy();
  await closed;
}
