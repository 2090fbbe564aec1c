import { adoptFromStore, type OldCookieOptions, type StoreLike } from "@sessions/adopting";
import type { Session } from "@sessions/core";
import type { Adopt } from "@sessions/core/adapter-tools";
import { checkOptions } from "@sessions/core/driver-tools";

/** Options of {@link adoptFastifySession}. */
export interface AdoptFastifySessionOptions<T extends object = Record<string, unknown>> {
  /** The store that was given to `@fastify/session`. */
  readonly store: StoreLike;
  /** The secret that was given to `@fastify/session`; several secrets as a list, newest first. */
  readonly secret: string | readonly string[];
  /** The name of the old cookie. @default "sessionId" */
  readonly cookieName?: string | undefined;
  /** The attributes of the old cookie, as far as they were given to `@fastify/session`. */
  readonly cookie?: OldCookieOptions | undefined;
  /**
   * Stages the old session's data into a new session: calls `session.login()`, and fills its stores. It may stage
   * nothing if the old session holds nothing of value. A returned promise is awaited. An error is the request's error,
   * and leaves the old session as it was.
   *
   * @param old The application's data in `request.session`, without `cookie`.
   * @param session The new session.
   */
  map(old: T, session: Session): unknown;
}

/**
 * Takes over the sessions of `@fastify/session` 11, so that users stay logged in while a site moves. The result is for
 * the option `adopt` of every adapter. Each old session is taken over once, and ends in its store. A cookie without a
 * valid signature is ignored, and costs no read of the old store.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptFastifySession, type StoreLike } from "@sessions/adopt";
 *
 * declare const oldStore: StoreLike; // the store that @fastify/session had
 * export const adopt = adoptFastifySession({
 *   store: oldStore,
 *   secret: process.env.SESSION_SECRET ?? "",
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptFastifySession<T extends object = Record<string, unknown>>(
  options: AdoptFastifySessionOptions<T>,
): Adopt {
  const maker = "adoptFastifySession";
  checkOptions(maker, options, ["store", "secret", "cookieName", "cookie", "map"]);
  const { cookieName: name, ...rest } = options;
  return adoptFromStore({ maker, option: "cookieName", name: "sessionId", prefix: "" }, { ...rest, name });
}
