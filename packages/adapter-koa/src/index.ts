import type { Session } from "@sessions/core";

export { isCrossSiteWrite } from "@sessions/core/adapter-tools";
export { openSession, type SessionMiddlewareOptions, sessionMiddleware } from "./middleware.ts";

declare module "koa" {
  interface BaseContext {
    /** The session that `sessionMiddleware` opened. With `lazy: true` it throws until `openSession` has resolved. */
    session: Session;
  }
}
