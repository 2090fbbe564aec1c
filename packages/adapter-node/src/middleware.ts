import type { IncomingMessage, ServerResponse } from "node:http";
import { type Session, SessionError, type SessionManager } from "@sessions/core";
import { holdBack, type Next } from "./hold-back.ts";

/** Options of `sessionMiddleware`. */
export interface SessionMiddlewareOptions {
  /**
   * Reads the session on the first `await openSession(sessions, req, res)`, and not before the handler runs: requests
   * that never ask cost nothing. Until then `req.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
}

/** One request, and the session that was opened for it. */
interface Visit {
  readonly sessions: SessionManager;
  /** Where errors go; `undefined` without the middleware and without `onError`. */
  readonly next: Next | undefined;
  opened?: Promise<Session>;
  session?: Session;
}

// On the request itself: a WeakMap with an entry for each request costs more than all the rest.
const VISIT = Symbol("visit");
type Visited = IncomingMessage & { [VISIT]?: Visit; session?: Session };

const strict = new WeakMap<SessionManager, boolean>();
const SAFE: readonly unknown[] = ["GET", "HEAD", "OPTIONS", "TRACE"];

/**
 * Middleware for Express 4 and 5, Connect, and whatever else calls `(req, res, next)`: `req.session` is ready when the
 * handler runs, and every response waits until the session is committed. Errors of the backend go to `next(error)`.
 * @throws TypeError if `sessions` is no manager.
 */
export function sessionMiddleware(
  sessions: SessionManager,
  { lazy = false }: SessionMiddlewareOptions = {},
): (req: IncomingMessage, res: ServerResponse, next: (err?: unknown) => void) => void {
  if (typeof sessions?.open !== "function")
    throw new TypeError("sessionMiddleware() needs what createSessionManager() returns");

  return function session(req: Visited, res, next) {
    if ("session" in req || req[VISIT]) {
      next(
        new TypeError("This request has a session already: mount one session middleware, and mount it once"),
      );
      return;
    }
    const visit: Visit = { sessions, next };
    req[VISIT] = visit;
    if (!lazy) {
      openSession(sessions, req, res).then((opened) => {
        req.session = opened;
        next();
      }, next);
      return;
    }
    Object.defineProperty(req, "session", {
      configurable: true,
      get() {
        if (visit.session) return visit.session;
        throw new TypeError("req.session is lazy here: await openSession(sessions, req, res) first");
      },
    });
    next();
  };
}

/**
 * The request's session; every call for one request answers the same promise. For bare `node:http`, and for handlers
 * behind `sessionMiddleware(sessions, { lazy: true })`. From the first call on the response waits for the commit.
 *
 * Rejects with what `SessionManager.open` rejects with, with `ERR_SESSION_HEADERS_SENT` where the response's headers
 * went out before the first call, and with a `TypeError` where another manager opened the request's session.
 *
 * @param onError For other frameworks, given with the first call: answers the error of a commit that failed. The
 * response is as it was before the first call then, with status 500; with `headersSent` its connection has been cut.
 * @default a plain 500, and a process warning with the error
 */
export function openSession(
  sessions: SessionManager,
  req: IncomingMessage,
  res: ServerResponse,
  onError?: (error: unknown) => void,
): Promise<Session> {
  const visited: Visited = req;
  const visit: Visit = visited[VISIT] ?? { sessions, next: onError };
  if (visit.sessions !== sessions)
    return Promise.reject(
      new TypeError("Another session manager opened this request's session: use that one"),
    );
  visited[VISIT] = visit;
  visit.opened ??= open(visit, req, res);
  return visit.opened;
}

function open(visit: Visit, req: IncomingMessage, res: ServerResponse): Promise<Session> {
  if (res.headersSent)
    return Promise.reject(
      new SessionError(
        "ERR_SESSION_HEADERS_SENT",
        "openSession() after the response's headers went out: open the session before you begin to answer",
      ),
    );
  const { sessions, next } = visit;
  const opened = sessions
    .open(req.headers.cookie, { crossSite: isCrossSite(sessions, req) })
    .then((session) => {
      visit.session = session;
      return session;
    });
  holdBack(res, opened, next);
  return opened;
}

/** Whether `SameSite` may have held our cookie back; the manager looks whether it came after all. */
function isCrossSite(sessions: SessionManager, req: IncomingMessage): boolean {
  if (req.headers["sec-fetch-site"] !== "cross-site") return false;
  return !SAFE.includes(req.method) || isStrict(sessions);
}

function isStrict(sessions: SessionManager): boolean {
  let known = strict.get(sessions);
  if (known === undefined) {
    // The manager does not tell its settings, but this header does.
    known = /; *SameSite=Strict/i.test(sessions.clearCookie());
    strict.set(sessions, known);
  }
  return known;
}
