import { adoptFromStore, type OldCookieOptions, type StoreLike } from "@sessions/adopting";
import type { Session } from "@sessions/core";
import type { Adoption } from "@sessions/core/adapter-tools";
import { checkOptions } from "@sessions/core/driver-tools";

/** Options of {@link adoptExpressSession}. */
export interface AdoptExpressSessionOptions<T extends object = Record<string, unknown>> {
  /** The store that was given to express-session. */
  readonly store: StoreLike;
  /** The secret that was given to express-session; several secrets as a list, newest first. */
  readonly secret: string | readonly string[];
  /** The name of the old cookie. @default "connect.sid" */
  readonly name?: string | undefined;
  /** The attributes of the old cookie, as far as they were given to express-session. */
  readonly cookie?: OldCookieOptions | undefined;
  /**
   * Stages the old session's data into a new session: calls `session.login()`, and fills its stores. It may stage
   * nothing if the old session holds nothing of value. A returned promise is awaited. An error is the request's error,
   * and leaves the old session as it was.
   *
   * @param old The application's data in `req.session`, without `cookie`.
   * @param session The new session.
   */
  map(old: T, session: Session): unknown;
}

/**
 * A session of express-session, for one request that may take it over: the type {@link Adoption} of
 * `@sessions/core/adapter-tools`, which the adapters' option `adopt` expects.
 */
export type OldSession = Adoption;

/**
 * Takes over the sessions of express-session, so that users stay logged in while a site moves. The result is for the
 * option `adopt` of every adapter. Each old session is taken over once. A cookie without a valid signature
 * is ignored, and costs no read of the old store.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptExpressSession, type StoreLike } from "@sessions/express-session";
 *
 * declare const oldStore: StoreLike; // the store that express-session had
 * export const adopt = adoptExpressSession({
 *   store: oldStore,
 *   secret: process.env.SESSION_SECRET ?? "",
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptExpressSession<T extends object = Record<string, unknown>>(
  options: AdoptExpressSessionOptions<T>,
): (cookieHeader: string | undefined) => Promise<OldSession | undefined> {
  const maker = "adoptExpressSession";
  checkOptions(maker, options, ["store", "secret", "name", "cookie", "map"]);
  return adoptFromStore({ maker, option: "name", name: "connect.sid", prefix: "s:" }, options);
}
