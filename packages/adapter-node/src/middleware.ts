import type { IncomingMessage, ServerResponse } from "node:http";
import { type OpenOptions, type Session, SessionError, type SessionManager } from "@sessions/core";
import { checkOption, checkOptions, openOptionsOf } from "@sessions/core/adapter-tools";
import { type Adopt, beginAdopting } from "./adopt.ts";
import { makeDictionary } from "./dictionary.ts";
import { holdBack } from "./hold-back/hold-back.ts";

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
  /** Whether a request keeps the session alive; `(req) => req.path !== "/poll"` for polling. @default () => true */
  touch?: ((req: IncomingMessage) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

/** What `openSession` is given with its first call for a request. */
export interface OpenSessionOptions extends Omit<SessionMiddlewareOptions, "lazy"> {
  /**
   * For other frameworks: answers the error of a commit that failed. The response is as it was before the first call then,
   * with status 500; with `headersSent` its connection has been cut.
   * @default a plain 500, and a process warning with the error
   */
  onError?: ((error: unknown) => void) | undefined;
  /** The framework's own, trusted answer that the request came over https. @default whether the socket is encrypted */
  https?: boolean | undefined;
}

/** One request, and the session that was opened for it. */
interface Visit {
  readonly sessions: SessionManager;
  readonly options: OpenSessionOptions;
  /** Where errors go: the middleware's own, or `onError`. */
  readonly next: ((error: unknown) => void) | undefined;
  opened: Promise<Session> | undefined;
  session: Session | undefined;
}

// On the request itself, or on its session: a WeakMap with an entry for each request costs more than all the rest, and on
// Express, which changes the request's prototype, every property of the request's own costs some microseconds.
const VISIT = Symbol("visit");
type Visited = IncomingMessage & { [VISIT]?: Visit; session?: Session & { [VISIT]?: Visit } };

/**
 * Middleware for Express 4 and 5, Connect, and whatever else calls `(req, res, next)`: `req.session` is ready when the
 * handler runs, and every response waits until the session is committed. Errors of the backend go to `next(error)`.
 * @throws TypeError if `sessions` is no manager.
 */
export function sessionMiddleware(
  sessions: SessionManager,
  options: SessionMiddlewareOptions = {},
): (req: IncomingMessage, res: ServerResponse, next: (err?: unknown) => void) => void {
  if (typeof sessions?.open !== "function")
    throw new TypeError("sessionMiddleware() needs what createSessionManager() returns");
  checkOptions("sessionMiddleware", options, ["lazy", "adopt", "touch", "vary"]);
  const { lazy = false, ...rest } = options;
  for (const name of ["adopt", "touch"] as const)
    checkOption(["undefined", "function"].includes(typeof rest[name]), name, "a function", rest[name]);

  return function session(req: Visited, res, next) {
    if ("session" in req || req[VISIT]) {
      next(
        new TypeError("This request has a session already: mount one session middleware, and mount it once"),
      );
      return;
    }
    makeDictionary(req, "method");
    makeDictionary(res, "sendDate");
    const visit: Visit = { sessions, options: rest, next, opened: undefined, session: undefined };
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
 * The request's session; every call for one request returns the same promise. For bare `node:http`, and for handlers
 * behind `sessionMiddleware(sessions, { lazy: true })`. From the first call on the response waits for the commit.
 *
 * Rejects with what `SessionManager.open` rejects with, with `ERR_SESSION_HEADERS_SENT` where the response's headers
 * went out before the first call, and with a `TypeError` where another manager opened the request's session.
 *
 * @param options Of the first call; later ones are not looked at.
 */
export function openSession(
  sessions: SessionManager,
  req: IncomingMessage,
  res: ServerResponse,
  options: OpenSessionOptions = {},
): Promise<Session> {
  checkOptions("openSession", options, ["onError", "adopt", "touch", "vary", "https"]);
  const visited: Visited = req;
  const known = visited[VISIT] ?? visited.session?.[VISIT];
  const { onError: next } = options;
  const visit: Visit = known ?? { sessions, options, next, opened: undefined, session: undefined };
  if (visit.sessions !== sessions)
    return Promise.reject(
      new TypeError("Another session manager opened this request's session: use that one"),
    );
  if (!known) visited[VISIT] = visit;
  visit.opened ??= open(visit, req, res, true);
  return visit.opened;
}

/**
 * Returns an error middleware for Express and Connect. Mount it before an error handler that redirects. It discards
 * what the session has staged, a login included, and passes the error on. An error page with a status of 400 or more
 * does not need it: there the adapter itself takes a login back.
 *
 * @example
 * import { sessionErrors, sessionMiddleware } from "@sessions/adapter-node";
 * import { createSessionManager } from "@sessions/core";
 * import express, { type ErrorRequestHandler } from "express";
 *
 * const app = express();
 * app.use(sessionMiddleware(createSessionManager()));
 * // … routes …
 * const redirectToSorry: ErrorRequestHandler = (_error, _req, res, _next) => res.redirect("/sorry");
 * app.use(sessionErrors(), redirectToSorry);
 */
export function sessionErrors(): (
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void {
  // Express knows an error middleware by its four parameters.
  return (error, req: Visited, _res, next) => {
    const visit = req[VISIT] ?? req.session?.[VISIT];
    visit?.session?.discard();
    next(error);
  };
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
  const { sessions, options, next } = visit;
  const { adopt, vary } = options;
  // Without a cookie there is nothing to adopt.
  const adopting =
    adopt && req.headers.cookie !== undefined ? beginAdopting(sessions, adopt, req, res) : undefined;
  // A function of the application's may throw.
  const opening = (async () => sessions.open(req.headers.cookie, openOptions(visit, req)))();
  const opened = (adopting ? opening.then(adopting.adoptInto) : opening).then((session) => {
    visit.session = session;
    if (!answering) holdBack(res, session, next, adopting?.seal, vary);
    return session;
  });
  if (answering) holdBack(res, opened, next, adopting?.seal, vary);
  return opened;
}

/** Express says by `req.secure` whether a proxy that it trusts was asked over https. */
type Asked = IncomingMessage & { readonly secure?: unknown };

function openOptions({ sessions, options }: Visit, req: Asked): OpenOptions {
  const { touch, https = req.secure === true || Reflect.get(req.socket, "encrypted") === true } = options;
  return openOptionsOf(sessions, {
    method: req.method,
    // HTTP/2 names the host otherwise.
    header: (name) => single(req.headers[name] ?? (name === "host" ? req.headers[":authority"] : undefined)),
    https,
    touch: touch?.(req) ?? true,
  });
}

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;
