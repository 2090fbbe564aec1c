import type { IncomingMessage, ServerResponse } from "node:http";
import { type Session, SessionError, type SessionManager } from "@sessions/core";
import { type Adopt, beginAdopting } from "./adopt.ts";
import { makeDictionary } from "./dictionary.ts";
import { holdBack, type Next } from "./hold-back.ts";

/** Options of `sessionMiddleware`. */
export interface SessionMiddlewareOptions {
  /**
   * Reads the session on the first `await openSession(sessions, req, res)`, and not before the handler runs: requests
   * that never ask cost nothing. Until then `req.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
  /**
   * Takes over the sessions that another library kept, so that a site can move from it and its users stay logged in:
   * `adoptExpressSession` of `@sessions/express-session`. To be removed once the old cookies have run out.
   * @default none
   */
  adopt?: Adopt | undefined;
}

/** One request, and the session that was opened for it. */
interface Visit {
  readonly sessions: SessionManager;
  /** Where errors go; `undefined` without the middleware and without `onError`. */
  readonly next: Next | undefined;
  readonly adopt: Adopt | undefined;
  opened: Promise<Session> | undefined;
  session: Session | undefined;
}

// On the request itself, or on its session: a WeakMap with an entry for each request costs more than all the rest, and on
// Express, which changes the request's prototype, every property of the request's own costs some microseconds.
const VISIT = Symbol("visit");
type Visited = IncomingMessage & { [VISIT]?: Visit; session?: Session & { [VISIT]?: Visit } };

const strict = new WeakMap<SessionManager, boolean>();
const SAFE: readonly unknown[] = ["GET", "HEAD", "OPTIONS", "TRACE"];

/**
 * Middleware for Express 4 and 5, Connect, and whatever else calls `(req, res, next)`: `req.session` is ready when the
 * handler runs, and every response waits until the session is committed. Errors of the backend go to `next(error)`.
 * @throws TypeError if `sessions` is no manager.
 */
export function sessionMiddleware(
  sessions: SessionManager,
  { lazy = false, adopt }: SessionMiddlewareOptions = {},
): (req: IncomingMessage, res: ServerResponse, next: (err?: unknown) => void) => void {
  if (typeof sessions?.open !== "function")
    throw new TypeError("sessionMiddleware() needs what createSessionManager() returns");
  if (adopt !== undefined && typeof adopt !== "function")
    throw new TypeError(
      "sessionMiddleware(): adopt must be a function, such as adoptExpressSession() returns",
    );

  return function session(req: Visited, res, next) {
    if ("session" in req || req[VISIT]) {
      next(
        new TypeError("This request has a session already: mount one session middleware, and mount it once"),
      );
      return;
    }
    makeDictionary(req, "method");
    makeDictionary(res, "sendDate");
    const visit: Visit = { sessions, next, adopt, opened: undefined, session: undefined };
    if (!lazy) {
      visit.opened = open(visit, req, res, false);
      visit.opened.then((opened) => {
        const session: NonNullable<Visited["session"]> = opened;
        session[VISIT] = visit;
        req.session = session;
        next();
      }, next);
      return;
    }
    req[VISIT] = visit;
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
 * @param adopt For bare `node:http`, given with the first call: as the middleware's option. @default none
 */
export function openSession(
  sessions: SessionManager,
  req: IncomingMessage,
  res: ServerResponse,
  onError?: (error: unknown) => void,
  adopt?: Adopt,
): Promise<Session> {
  const visited: Visited = req;
  const known = visited[VISIT] ?? visited.session?.[VISIT];
  const visit: Visit = known ?? { sessions, next: onError, adopt, opened: undefined, session: undefined };
  if (visit.sessions !== sessions)
    return Promise.reject(
      new TypeError("Another session manager opened this request's session: use that one"),
    );
  if (!known) visited[VISIT] = visit;
  visit.opened ??= open(visit, req, res, true);
  return visit.opened;
}

/** `answering`: the handler runs already, and may answer before the session is open. */
function open(visit: Visit, req: IncomingMessage, res: ServerResponse, answering: boolean): Promise<Session> {
  if (res.headersSent)
    return Promise.reject(
      new SessionError(
        "ERR_SESSION_HEADERS_SENT",
        "openSession() after the response's headers went out: open the session before you begin to answer",
      ),
    );
  const { sessions, next, adopt } = visit;
  // Without a cookie there is nothing to adopt.
  const adopting =
    adopt && req.headers.cookie !== undefined ? beginAdopting(sessions, adopt, req, res) : undefined;
  const opening = sessions.open(req.headers.cookie, { crossSite: isCrossSite(sessions, req) });
  const opened = (adopting ? opening.then(adopting.adoptInto) : opening).then((session) => {
    visit.session = session;
    if (!answering) holdBack(res, session, next, adopting?.seal);
    return session;
  });
  if (answering) holdBack(res, opened, next, adopting?.seal);
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
