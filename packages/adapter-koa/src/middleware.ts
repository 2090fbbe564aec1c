import { openSession as openNodeSession } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import { checkOption, checkOptions, dropLogin, warnOfDroppedLogin } from "@sessions/core/adapter-tools";
import type { ExtendableContext, Middleware } from "koa";

/** Options of `sessionMiddleware`. */
export interface SessionMiddlewareOptions {
  /**
   * Reads the session on the first `await openSession(sessions, ctx)`, and not before the handler runs: requests that
   * never ask cost nothing. Until then `ctx.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
  /** Whether a request keeps the session alive; `(ctx) => ctx.path !== "/poll"` for polling. @default () => true */
  touch?: ((ctx: ExtendableContext) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a response whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

/** The options of a lazy middleware that a context came through. */
const given = new WeakMap<ExtendableContext, SessionMiddlewareOptions>();

/**
 * Middleware for Koa 3: `ctx.session` is ready when the next one runs, and every response waits until the session is
 * committed. An error of the read is thrown; that of a commit goes to `ctx.onerror`, because it comes after all
 * middlewares.
 * @throws TypeError if `sessions` is no manager.
 */
export function sessionMiddleware(
  sessions: SessionManager,
  options: SessionMiddlewareOptions = {},
): Middleware {
  if (typeof sessions?.open !== "function")
    throw new TypeError("sessionMiddleware() needs what createSessionManager() returns");
  checkOptions("sessionMiddleware", options, ["lazy", "touch", "vary"]);
  const { lazy = false, touch } = options;
  checkOption(["undefined", "function"].includes(typeof touch), "touch", "a function", touch);

  return async function session(ctx, next) {
    if ("session" in ctx)
      throw new TypeError(
        "This context has a session already: mount one session middleware, and mount it once",
      );
    if (lazy) {
      given.set(ctx, options);
      Object.defineProperty(ctx, "session", {
        configurable: true,
        get() {
          throw new TypeError("ctx.session is lazy here: await openSession(sessions, ctx) first");
        },
      });
    } else await open(sessions, ctx, options);
    try {
      await next();
    } catch (error) {
      // A middleware outside may turn it into a redirect: the login that led to it does not count.
      const opened = Object.getOwnPropertyDescriptor(ctx, "session")?.value;
      if (opened && dropLogin(opened)) warnOfDroppedLogin("an error");
      throw error;
    }
  };
}

/**
 * The context's session, the same one however often it is called. For handlers behind
 * `sessionMiddleware(sessions, { lazy: true })`. From the first call on the response waits for the commit.
 *
 * Rejects with what `SessionManager.open` rejects with, with `ERR_SESSION_HEADERS_SENT` where the response's headers
 * went out before the first call, and with a `TypeError` where another manager opened the request's session.
 */
export function openSession(sessions: SessionManager, ctx: ExtendableContext): Promise<Session> {
  return open(sessions, ctx, given.get(ctx) ?? {});
}

async function open(
  sessions: SessionManager,
  ctx: ExtendableContext,
  { touch, vary }: SessionMiddlewareOptions,
): Promise<Session> {
  const session = await openNodeSession(sessions, ctx.req, ctx.res, {
    vary,
    touch: touch && (() => touch(ctx)),
    // By the proxies that the application trusts.
    https: ctx.secure,
    onError(error) {
      // Koa takes what is no error too; its type does not say so.
      ctx.onerror(error instanceof Error ? error : new Error(String(error)));
    },
  });
  Object.defineProperty(ctx, "session", { value: session, configurable: true });
  return session;
}
