import type { IncomingMessage, ServerResponse } from "node:http";
import { type Session as CoreSession, type Driver, SessionError, type SessionManager } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { driverOf, expressSessionStore } from "../store.ts";
import { readOptions, type SessionOptions, type Settings } from "./options.ts";
import { overDriver } from "./over-driver.ts";
import { overStore } from "./over-store.ts";
import { idsOf, pathOf, type Request } from "./request.ts";
import { type BaseStore, Store } from "./stores.ts";
import { Visit } from "./visit.ts";

/** The middleware that `session()` returns. */
export interface SessionMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void;
  /** The manager of the sessions, to list and to end them: `sessions.destroyAll({ principal })`. Needs a driver. */
  readonly sessions: SessionManager;
}

const visits = new WeakMap<IncomingMessage, Visit>();

/**
 * Returns core's session of the same record as `req.session`: its stores lie beside, and are committed with it.
 *
 * @throws TypeError The request has no session, or its sessions are in a `store`.
 */
export function sessionOf(req: IncomingMessage): CoreSession {
  const visit = visits.get(req);
  if (!visit) throw new TypeError("sessionOf: mount session({ driver }) of @sessions/express-session before");
  return visit.core;
}

export function createMiddleware(options: SessionOptions = {}): SessionMiddleware {
  const settings = readOptions(options);
  const { secrets, name, cookie: cookieOption } = settings;
  const { store: given } = options;
  const driver = options.driver ?? (given && driverOf(given)?.driver) ?? (given ? undefined : memoryDriver());
  const over = driver && overDriver(settings, driver);
  // Its methods are called as any store for express-session has them.
  const store = driver && !given ? storeOver(driver, settings) : (given as unknown as BaseStore);
  const keeper = over?.keeper ?? overStore(settings, store);
  if (!over)
    process.emitWarning(
      "session({ store }): requests that overlap may lose each other's changes, and late ones bring back ended sessions. session({ driver }) does neither",
    );

  const { generate } = store;
  store.generate = (req) => {
    const visit = visits.get(req as IncomingMessage);
    if (visit) visit.generate();
    // A request of another middleware on the same store.
    else generate?.call(store, req);
  };
  let isReady = true;
  store.on("disconnect", () => {
    isReady = false;
  });
  store.on("connect", () => {
    isReady = true;
  });

  function session(req: Request, res: ServerResponse, next: (error?: unknown) => void): void {
    const { path = "/" } = typeof cookieOption === "function" ? cookieOption(req) : cookieOption;
    if (req.session || !isReady || !pathOf(req).startsWith(path)) {
      next();
      return;
    }
    const usable = secrets.length === 0 && req.secret ? [req.secret] : secrets;
    if (usable.length === 0) {
      next(new Error("secret option required for sessions"));
      return;
    }
    req.sessionStore = store;
    const visit = new Visit(settings, keeper, req);
    visits.set(req, visit);
    visit.open(idsOf(req, name, usable), res, next).then(() => next(), next);
  }

  return Object.defineProperty(session as SessionMiddleware, "sessions", {
    get() {
      if (over) return over.sessions;
      throw new SessionError("ERR_SESSION_UNSUPPORTED", "sessions needs session({ driver })");
    },
  });
}

/** `req.sessionStore` over a driver. */
function storeOver(driver: Driver, { idle, setup, principal, from }: Settings): BaseStore {
  const options = { Store: Store as never, idle, setup, principal, adopt: from };
  const made: unknown = expressSessionStore(driver, options);
  return made as BaseStore;
}
