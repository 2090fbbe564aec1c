import { openSession as openNodeSession } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import type { ExtendableContext, Middleware } from "koa";

/** Options of `sessionMiddleware`. */
export interface SessionMiddlewareOptions {
  /**
   * Reads the session on the first `await openSession(sessions, ctx)`, and not before the handler runs: requests that
   * never ask cost nothing. Until then `ctx.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
}

/**
 * Middleware for Koa 3: `ctx.session` is ready when the next one runs, and every response waits until the session is
 * committed. An error of the read is thrown; that of a commit goes to `ctx.onerror`, because it comes after all
 * middlewares.
 * @throws TypeError if `sessions` is no manager.
 */
export function sessionMiddleware(
  sessions: SessionManager,
  { lazy = false }: SessionMiddlewareOptions = {},
): Middleware {
  if (typeof sessions?.open !== "function")
    throw new TypeError("sessionMiddleware() needs what createSessionManager() returns");

  return async function session(ctx, next) {
    if ("session" in ctx)
      throw new TypeError(
        "This context has a session already: mount one session middleware, and mount it once",
      );
    if (lazy)
      Object.defineProperty(ctx, "session", {
        configurable: true,
        get() {
          throw new TypeError("ctx.session is lazy here: await openSession(sessions, ctx) first");
        },
      });
    else await openSession(sessions, ctx);
    await next();
  };
}

/**
 * The context's session, the same one however often it is called. For handlers behind
 * `sessionMiddleware(sessions, { lazy: true })`. From the first call on the response waits for the commit.
 *
 * Rejects with what `SessionManager.open` rejects with, with `ERR_SESSION_HEADERS_SENT` where the response's headers
 * went out before the first call, and with a `TypeError` where another manager opened the request's session.
 */
export async function openSession(sessions: SessionManager, ctx: ExtendableContext): Promise<Session> {
  const session = await openNodeSession(sessions, ctx.req, ctx.res, (error) => {
    // Koa takes what is no error too; its type does not say so.
    ctx.onerror(error instanceof Error ? error : new Error(String(error)));
  });
  Object.defineProperty(ctx, "session", { value: session, configurable: true });
  return session;
}
