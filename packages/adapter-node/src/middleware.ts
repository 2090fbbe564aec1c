import type { IncomingMessage, ServerResponse } from "node:http";
import { type OpenOptions, type Session, SessionError, type SessionManager } from "@sessions/core";
import {
  type Adopt,
  checkManager,
  checkOption,
  checkOptions,
  openOptionsOf,
} from "@sessions/core/adapter-tools";
import { adoptOnNode } from "./adopt.ts";
import { makeDictionary } from "./dictionary.ts";
import { holdBack } from "./hold-back/hold-back.ts";

/**
 * Options of {@link sessionMiddleware}.
 *
 * @example
 * import type { SessionMiddlewareOptions } from "@sessions/adapter-node";
 *
 * export const options: SessionMiddlewareOptions = {
 *   lazy: true, // handlers that need the session call openSession()
 *   touch: (req) => req.url !== "/poll", // polling does not keep a session alive
 * };
 */
export interface SessionMiddlewareOptions {
  /**
   * Reads the session on the first `await openSession(sessions, req, res)`, not before the handler runs. A request that
   * never calls it costs nothing. Until then `req.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
  /**
   * Takes over the sessions of another library, so that users stay logged in when a site moves:
   * `adoptExpressSession` of `@sessions/express-session`. Remove it once the old cookies have expired.
   * @default none
   */
  adopt?: Adopt | undefined;
  /** Whether a request keeps the session alive: `(req) => req.url !== "/poll"` for polling. @default () => true */
  touch?: ((req: IncomingMessage) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

/**
 * Options of the first {@link openSession} call for a request.
 *
 * @example
 * import { createServer } from "node:http";
 * import { openSession } from "@sessions/adapter-node";
 * import { createSessionManager } from "@sessions/core";
 *
 * const sessions = createSessionManager();
 * createServer(async (req, res) => {
 *   const onError = (error: unknown): void => {
 *     console.error(error);
 *     if (!res.headersSent) res.end("Please try again"); // with status 500
 *   };
 *   const session = await openSession(sessions, req, res, { onError });
 *   session.store("visits").set("last", new Date());
 *   res.end("Hello");
 * });
 */
export interface OpenSessionOptions extends Omit<SessionMiddlewareOptions, "lazy"> {
  /**
   * Sends the error page of a failed commit. The response is then as it was before the first call, with status 500. If
   * `res.headersSent` is `true`, the connection was cut instead.
   * @default a plain 500, and a process warning with the error
   */
  onError?: ((error: unknown) => void) | undefined;
  /**
   * Whether the request came over https, if the framework knows it from a proxy that the application trusts.
   * @default whether the socket is encrypted, or Express's `req.secure` is `true`
   */
  https?: boolean | undefined;
}

/** One request and its session. */
interface Visit {
  readonly sessions: SessionManager;
  readonly options: OpenSessionOptions;
  /** Where errors go: the middleware's `next`, or `onError`. */
  readonly next: ((error: unknown) => void) | undefined;
  opened: Promise<Session> | undefined;
  session: Session | undefined;
}

// The visit is a property of the request or of its session: a WeakMap entry for each request costs more than everything
// else here. The session is preferred, because on Express each new property of a request costs some microseconds.
const VISIT = Symbol("visit");
type Visited = IncomingMessage & { [VISIT]?: Visit; session?: Session & { [VISIT]?: Visit } };

/**
 * Returns a middleware for Express 4, Express 5, Connect and other frameworks that call `(req, res, next)`.
 * `req.session` is ready when the handler runs. Every response waits until its session is committed. Errors of the
 * backend go to `next(error)`, and so does a `TypeError` if the request already has a session.
 *
 * @throws TypeError if `sessions` is not a session manager.
 * @throws SessionConfigError for an unknown option, or one of a wrong type.
 *
 * @example
 * import { sessionMiddleware } from "@sessions/adapter-node";
 * import { createSessionManager } from "@sessions/core";
 * import express from "express";
 *
 * const app = express();
 * app.use(sessionMiddleware(createSessionManager()));
 * app.get("/", (req, res) => {
 *   const visits = req.session.store<{ count: number }>("visits");
 *   res.send(`Visit ${visits.update("count", (n = 0) => n + 1)}`);
 * });
 */
export function sessionMiddleware(
  sessions: SessionManager,
  options: SessionMiddlewareOptions = {},
): (req: IncomingMessage, res: ServerResponse, next: (err?: unknown) => void) => void {
  checkManager("sessionMiddleware", sessions);
  checkOptions("sessionMiddleware", options, ["lazy", "adopt", "touch", "vary"]);
  const { lazy = false, ...rest } = options;
  for (const name of ["adopt", "touch"] as const)
    checkOption(
      ["undefined", "function"].includes(typeof rest[name]),
      `sessionMiddleware: ${name}`,
      "a function",
      rest[name],
    );

  return function session(req: Visited, res, next) {
    if ("session" in req || req[VISIT]) {
      next(
        new TypeError(
          "sessionMiddleware: this request already has a session. Mount one session middleware, and only once",
        ),
      );
      return;
    }
    makeDictionary(req, "method");
    makeDictionary(res, "sendDate");
    const visit: Visit = { sessions, options: rest, next, opened: undefined, session: undefined };
    if (!lazy) {
      visit.opened = openAndHold(visit, req, res, false);
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
        throw new TypeError(
          "req.session: the session is lazy and not open yet. Call await openSession(sessions, req, res) first",
        );
      },
    });
    next();
  };
}

/**
 * Opens the request's session, for bare `node:http` and behind {@link sessionMiddleware} with `lazy: true`. Every call
 * for one request returns the same promise. From the first call on, the response waits for the commit.
 *
 * Await it in a separate statement: `res.end(await …)` looks `end` up before this function replaces it.
 *
 * @param options Only those of the first call count.
 * @throws What `SessionManager.open` throws, as all errors here by rejecting.
 * @throws SessionError with the code `ERR_SESSION_HEADERS_SENT` if the response's headers are already sent.
 * @throws TypeError if another manager opened the request's session.
 * @throws SessionConfigError at the call, for an unknown option.
 *
 * @example
 * import { createServer } from "node:http";
 * import { openSession } from "@sessions/adapter-node";
 * import { createSessionManager } from "@sessions/core";
 *
 * const sessions = createSessionManager();
 * createServer(async (req, res) => {
 *   try {
 *     const session = await openSession(sessions, req, res);
 *     session.store("visits").set("last", new Date());
 *     res.end("Hello");
 *   } catch (error) {
 *     console.error(error);
 *     res.writeHead(500).end();
 *   }
 * });
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
      new TypeError("openSession: another session manager opened this request's session. Pass that manager"),
    );
  if (!known) visited[VISIT] = visit;
  visit.opened ??= openAndHold(visit, req, res, true);
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
  // Express recognizes an error middleware by its four parameters.
  return (error, req: Visited, _res, next) => {
    const visit = req[VISIT] ?? req.session?.[VISIT];
    visit?.session?.discard();
    next(error);
  };
}

/**
 * Opens the session, and holds the response back.
 *
 * @param handlerRuns The handler already runs, so it may write the response before the session is open.
 */
function openAndHold(
  visit: Visit,
  req: IncomingMessage,
  res: ServerResponse,
  handlerRuns: boolean,
): Promise<Session> {
  if (res.headersSent)
    return Promise.reject(
      new SessionError(
        "ERR_SESSION_HEADERS_SENT",
        "openSession: the response's headers are already sent. Open the session before you write the response",
      ),
    );
  const { sessions, options, next } = visit;
  const { adopt, vary } = options;
  // Without a cookie there is nothing to adopt.
  const adopting =
    adopt && req.headers.cookie !== undefined ? adoptOnNode(sessions, adopt, req, res) : undefined;
  // Async, because `touch` is a function of the application and may throw.
  const opening = (async () => sessions.open(req.headers.cookie, openOptions(visit, req)))();
  const opened = (adopting ? opening.then(adopting.adoptInto) : opening).then((session) => {
    visit.session = session;
    if (!handlerRuns) holdBack(res, session, next, adopting?.seal, vary);
    return session;
  });
  if (handlerRuns) holdBack(res, opened, next, adopting?.seal, vary);
  return opened;
}

/** Express sets `secure` if the client, or the proxy that it trusts, was reached over https. */
type MaybeExpressRequest = IncomingMessage & { readonly secure?: unknown };

function openOptions({ sessions, options }: Visit, req: MaybeExpressRequest): OpenOptions {
  const { touch, https = req.secure === true || Reflect.get(req.socket, "encrypted") === true } = options;
  return openOptionsOf(sessions, {
    method: req.method,
    // HTTP/2 has the host in `:authority`.
    header: (name) => firstOf(req.headers[name] ?? (name === "host" ? req.headers[":authority"] : undefined)),
    https,
    touch: touch?.(req) ?? true,
  });
}

const firstOf = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;
