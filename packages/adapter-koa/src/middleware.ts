import { openSession as openNodeSession } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import {
  type Adopt,
  checkManager,
  checkOption,
  checkOptions,
  dropLogin,
  warnOfDroppedLogin,
} from "@sessions/core/adapter-tools";
import type { ExtendableContext, Middleware } from "koa";

/**
 * Options of {@link sessionMiddleware}.
 *
 * @example
 * import type { SessionMiddlewareOptions } from "@sessions/adapter-koa";
 *
 * export const options: SessionMiddlewareOptions = {
 *   lazy: true, // handlers that need the session call openSession()
 *   touch: (ctx) => ctx.path !== "/poll", // polling does not keep a session alive
 * };
 */
export interface SessionMiddlewareOptions {
  /**
   * Reads the session on the first `await openSession(sessions, ctx)`, not before the handler runs. A request that
   * never calls it costs nothing. Until then `ctx.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
  /**
   * Takes over the sessions of another library, so that users stay logged in when a site moves:
   * `adoptExpressSession` of `@sessions/express-session`. Remove it once the old cookies have expired.
   * @default none
   */
  adopt?: Adopt | undefined;
  /** Whether a request keeps the session alive: `(ctx) => ctx.path !== "/poll"` for polling. @default () => true */
  touch?: ((ctx: ExtendableContext) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

/** The options of the lazy middleware, for {@link openSession}. */
const lazyOptions = new WeakMap<ExtendableContext, SessionMiddlewareOptions>();

/**
 * Returns a middleware for Koa 3. `ctx.session` is ready when the next middleware runs. Every response waits until its
 * session is committed. The middleware throws an error of the read, and a `TypeError` if the context already has a
 * session. An error of the commit goes to `ctx.onerror`, because the commit comes after all middlewares.
 *
 * @throws TypeError if `sessions` is not a session manager.
 * @throws SessionConfigError for an unknown option, or one of a wrong type.
 *
 * @example
 * import { sessionMiddleware } from "@sessions/adapter-koa";
 * import { createSessionManager } from "@sessions/core";
 * import Koa from "koa";
 *
 * const app = new Koa();
 * app.use(sessionMiddleware(createSessionManager()));
 * app.use((ctx) => {
 *   const visits = ctx.session.store<{ count: number }>("visits");
 *   ctx.body = `Visit ${visits.update("count", (n = 0) => n + 1)}`;
 * });
 */
export function sessionMiddleware(
  sessions: SessionManager,
  options: SessionMiddlewareOptions = {},
): Middleware {
  checkManager("sessionMiddleware", sessions);
  checkOptions("sessionMiddleware", options, ["lazy", "adopt", "touch", "vary"]);
  const { lazy = false } = options;
  for (const name of ["adopt", "touch"] as const)
    checkOption(
      ["undefined", "function"].includes(typeof options[name]),
      `sessionMiddleware: ${name}`,
      "a function",
      options[name],
    );

  return async function session(ctx, next) {
    if ("session" in ctx)
      throw new TypeError(
        "sessionMiddleware: this context already has a session. Mount one session middleware, and only once",
      );
    if (lazy) {
      lazyOptions.set(ctx, options);
      Object.defineProperty(ctx, "session", {
        configurable: true,
        get() {
          throw new TypeError(
            "ctx.session: the session is lazy and not open yet. Call await openSession(sessions, ctx) first",
          );
        },
      });
    } else await openAndHold(sessions, ctx, options);
    try {
      await next();
    } catch (error) {
      // An outer middleware may turn the error into a redirect. A login before the error must not count then.
      const opened = Object.getOwnPropertyDescriptor(ctx, "session")?.value;
      if (opened && dropLogin(opened)) warnOfDroppedLogin("an error");
      throw error;
    }
  };
}

/**
 * Opens the context's session, for handlers behind {@link sessionMiddleware} with `lazy: true`. Every call for one
 * context returns the same session. From the first call on, the response waits for the commit.
 *
 * @throws What `SessionManager.open` throws, as all errors here by rejecting.
 * @throws SessionError with the code `ERR_SESSION_HEADERS_SENT` if the response's headers are already sent.
 * @throws TypeError if another manager opened the request's session.
 *
 * @example
 * import { openSession, sessionMiddleware } from "@sessions/adapter-koa";
 * import { createSessionManager } from "@sessions/core";
 * import Koa from "koa";
 *
 * const sessions = createSessionManager();
 * const app = new Koa();
 * app.use(sessionMiddleware(sessions, { lazy: true }));
 * app.use(async (ctx) => {
 *   const session = await openSession(sessions, ctx);
 *   ctx.body = session.principal ?? "guest";
 * });
 */
export function openSession(sessions: SessionManager, ctx: ExtendableContext): Promise<Session> {
  return openAndHold(sessions, ctx, lazyOptions.get(ctx) ?? {});
}

async function openAndHold(
  sessions: SessionManager,
  ctx: ExtendableContext,
  { adopt, touch, vary }: SessionMiddlewareOptions,
): Promise<Session> {
  const session = await openNodeSession(sessions, ctx.req, ctx.res, {
    adopt,
    vary,
    touch: touch && (() => touch(ctx)),
    // Koa knows it from the proxies that the application trusts.
    https: ctx.secure,
    onError(error) {
      // Koa's type accepts only errors.
      ctx.onerror(error instanceof Error ? error : new Error(String(error)));
    },
  });
  Object.defineProperty(ctx, "session", { value: session, configurable: true });
  return session;
}
