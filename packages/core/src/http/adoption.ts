import type { Session } from "../session/session.ts";

/**
 * A session of another library, for one request that may take it over. An adapter calls the methods before the
 * handler runs, in this order: `stage`, a commit of the new session, `end`, `release`.
 */
export interface Adoption {
  /**
   * - `"live"`: this request takes the session over.
   * - `"adopted"`: another request took it over a moment ago. This response must not overwrite the cookie of that one.
   * - `"gone"`: the cookie names no session any more.
   */
  readonly state: "live" | "adopted" | "gone";
  /** For `"adopted"`: the id of our session that took it over; `undefined` if it is unknown or there is none. */
  readonly successor: string | undefined;
  /** For `"adopted"`: the response with that session's cookie has not arrived yet. */
  readonly underWay: boolean;
  /** The value of a `Set-Cookie` header that removes the old cookie. */
  readonly setCookie: string;
  /** Stages what the live session holds into a new session. A returned promise is awaited. */
  stage(session: Session): unknown;
  /**
   * Ends the live session. It leaves a note with the successor's id for a while, so that requests in flight find it.
   *
   * @param successor The id of the session that took it over; `undefined` if that one has no record.
   * @returns `false` if the session was no longer live: it has ended, or another process took it over.
   */
  end(successor: string | undefined): Promise<boolean>;
  /** Called once this request is done with the session: the next request may have it. */
  release(): void;
  /** Called once the response with the new cookie has ended. */
  delivered(): void;
}
