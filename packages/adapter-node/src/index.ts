import type { Session } from "@sessions/core";

export { type Adopt, type Adoption, isCrossSiteWrite } from "@sessions/core/adapter-tools";
export {
  type OpenSessionOptions,
  openSession,
  type SessionMiddlewareOptions,
  sessionErrors,
  sessionMiddleware,
} from "./middleware.ts";

declare global {
  // The types of Express 4 and 5 read from this namespace what middlewares add to a request.
  namespace Express {
    interface Request {
      /** The session that `sessionMiddleware` opened. With `lazy: true` it throws until `openSession` has resolved. */
      session: Session;
    }
  }
}
