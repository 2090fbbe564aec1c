import { adoptExpressSession } from "../adopt.ts";
import { fromExpressSessionStore } from "../driver.ts";
import { expressSessionExclusions } from "../exclusions.ts";
import { expressSessionStore } from "../store.ts";
import { Cookie, type SessionCookieOptions } from "./cookie.ts";
import { createMiddleware, type SessionMiddleware, sessionOf } from "./middleware.ts";
import type { SessionOptions } from "./options.ts";
import { Session } from "./session.ts";
import { MemoryStore, Store } from "./stores.ts";

/** The function `session()`, with all that `require()` of this package gives. */
export interface DropIn {
  (options?: SessionOptions): SessionMiddleware;
  readonly Cookie: typeof Cookie;
  readonly MemoryStore: typeof MemoryStore;
  readonly Session: typeof Session;
  readonly Store: typeof Store;
  readonly adoptExpressSession: typeof adoptExpressSession;
  readonly expressSessionExclusions: typeof expressSessionExclusions;
  readonly expressSessionStore: typeof expressSessionStore;
  readonly fromExpressSessionStore: typeof fromExpressSessionStore;
  readonly sessionOf: typeof sessionOf;
}

/**
 * The drop-in for express-session: the same middleware over a driver. `req.session` is a plain object as there. Requests
 * that overlap lose no keys, a session that has ended stays ended, and a response waits until its session is stored.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import session from "@sessions/express-session";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * export const middleware = session({ secret: process.env["SESSION_SECRET"] ?? "", driver: memoryDriver() });
 * export const logOutEverywhere = (userId: string) => middleware.sessions.destroyAll({ principal: userId });
 */
export const session: DropIn = Object.assign(
  // A function of its own: others may hang their properties on it.
  (options?: SessionOptions): SessionMiddleware => createMiddleware(options),
  {
    Cookie,
    MemoryStore,
    Session,
    Store,
    adoptExpressSession,
    expressSessionExclusions,
    expressSessionStore,
    fromExpressSessionStore,
    sessionOf,
  },
);

type Made<T extends abstract new (...args: never[]) => unknown> = InstanceType<T>;

/** The types by the names that express-session gives them. */
export declare namespace session {
  export type Cookie = Made<DropIn["Cookie"]>;
  export type CookieOptions = SessionCookieOptions;
  export type MemoryStore = Made<DropIn["MemoryStore"]>;
  export type Session = Made<DropIn["Session"]>;
  export type SessionOptions = NonNullable<Parameters<DropIn>[0]>;
  export type Store = Made<DropIn["Store"]>;
}
