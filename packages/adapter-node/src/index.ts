import type { Session } from "@sessions/core";

export { type Adoption, isCrossSiteWrite } from "@sessions/core/adapter-tools";
export type { Adopt } from "./adopt.ts";
export {
  type OpenSessionOptions,
  openSession,
  type SessionMiddlewareOptions,
  sessionErrors,
  sessionMiddleware,
} from "./middleware.ts";

declare global {
  // Express's types, of version 4 and 5 alike, take what middlewares add to a request from this namespace.
  namespace Express {
    interface Request {
      /** The session that `sessionMiddleware` opened; with `lazy: true` only once `openSession` has resolved. */
      session: Session;
    }
  }
}
