import type { SessionManager } from "../manager/manager.ts";
import type { Session } from "../session/session.ts";
import { cookieSettingsOf } from "./http.ts";

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
  /** The values of the `Set-Cookie` headers that remove the old cookie, and the cookie of its signature if it has one. */
  readonly setCookies: readonly string[];
  /** Stages what the live session holds into a new session. A returned promise is awaited. */
  stage(session: Session): unknown;
  /**
   * Ends the live session. It leaves a note with the successor's id for a while, so that requests in flight find it.
   *
   * @param successor The id of the session that took it over; `undefined` if that one has no record.
   * @returns `false` if the session was no longer live: it has ended, or another process took it over.
   */
  end(successor: string | undefined): Promise<boolean>;
  /** Makes the ended session live again, for a request whose response could not carry the new cookie. */
  undo(): Promise<void>;
  /** Called once this request is done with the session: the next request may have it. */
  release(): void;
  /** Called once the response with the new cookie has ended. */
  delivered(): void;
}

/**
 * Looks up the session that another library kept for a request's visitor. `adoptExpressSession` of
 * `@sessions/express-session` makes such a function for the adapters' option `adopt`.
 *
 * While another request of this process takes over the same session, the promise waits until that request calls
 * {@link Adoption.release}. It must reject if the other library's backend fails: a backend that is down must not look
 * like a logout.
 *
 * @param cookieHeader The request's `Cookie` header.
 * @returns `undefined` if the header names no session of the other library.
 */
export type Adopt = (cookieHeader: string | undefined) => Promise<Adoption | undefined>;

/** What an adapter knows about a request whose session may be adopted. */
export interface AdoptingRequest {
  /** The request's `Cookie` header. */
  readonly cookieHeader: string | undefined;
  /** Returns a header by its name in lower case. */
  readonly header: (name: "sec-fetch-site" | "sec-fetch-dest") => string | undefined;
  /** Returns whether the client has disconnected, so that it would never get the cookie. */
  isGone(): boolean;
  /** Calls a function once the response has ended. */
  whenOver(done: () => void): void;
}

/** The steps by which one request takes a session over. */
export interface Adopting {
  /** Returns the session for this request: `opened`, or another one. */
  adoptInto(opened: Session): Promise<Session>;
  /** Returns the values of the `Set-Cookie` headers that remove the old cookie. */
  endOldCookie(): readonly string[];
  /** Gives the session back, for an adapter whose response can carry no cookie because the handler threw. */
  undo(): Promise<void>;
}

/**
 * Takes a session over before the handler runs: stages it into a new one, commits that one, then ends the old one. If a
 * step fails, the old session stays, and the next request tries again.
 *
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { type Adopt, beginAdopting } from "@sessions/core/adapter-tools";
 *
 * const sessions = createSessionManager();
 *
 * export async function open(request: Request, adopt: Adopt) {
 *   const cookieHeader = request.headers.get("Cookie") ?? undefined;
 *   const adopting = beginAdopting(sessions, adopt, {
 *     cookieHeader,
 *     header: (name) => request.headers.get(name) ?? undefined,
 *     isGone: () => request.signal.aborted,
 *     whenOver: (done) => done(), // at once, where the end of a response cannot be seen
 *   });
 *   const session = await adopting.adoptInto(await sessions.open(cookieHeader));
 *   return { session, setCookies: adopting.endOldCookie() };
 * }
 */
export function beginAdopting(sessions: SessionManager, adopt: Adopt, request: AdoptingRequest): Adopting {
  const { cookieHeader } = request;
  let setCookies: readonly string[] = [];
  let undo = async (): Promise<void> => {};
  const muted = (): Promise<Session> => sessions.open(undefined, { crossSite: true });

  async function adoptInto(opened: Session): Promise<Session> {
    if (!opened.isNew) return endOld(opened);
    // A muted session may set no cookie, so it must take nothing over. Its commit returns "gone". For any other session
    // that is new and empty this commit does nothing.
    if ((await opened.commit()).status === "gone") return opened;
    if (refusesCookie(sessions, request)) return muted();
    const found = await adopt(cookieHeader);
    if (!found) return opened;
    try {
      // A client that has disconnected would never get the cookie.
      if (found.state === "live" && !request.isGone()) return await takeOver(found, opened);
      if (found.state === "adopted") return await follow(found);
      if (found.state === "gone") setCookies = ending(sessions, found);
      return opened;
    } finally {
      found.release();
    }
  }

  /** The visitor already has a session of ours: the response that removed the old cookie did not arrive. */
  async function endOld(opened: Session): Promise<Session> {
    try {
      const found = await adopt(cookieHeader);
      if (!found) return opened;
      try {
        if (found.state === "live") await found.end(undefined);
        setCookies = ending(sessions, found);
      } finally {
        found.release();
      }
    } catch {
      // A visitor with a session of ours does not depend on the old backend. The next request tries again.
    }
    return opened;
  }

  async function takeOver(found: Adoption, opened: Session): Promise<Session> {
    await found.stage(opened);
    const isStored = (await opened.commit()).status === "committed";
    let isOurs: boolean;
    try {
      isOurs = await found.end(isStored ? opened.id : undefined);
    } catch (error) {
      // The token was sent to no client, so the new session is of no use.
      if (isStored) await sessions.destroy(opened.id).catch(() => false);
      throw error;
    }
    if (!isOurs) {
      // Another process was faster, or the visitor logged out: do not overwrite the cookie of that response.
      if (isStored) await sessions.destroy(opened.id);
      return muted();
    }
    setCookies = ending(sessions, found);
    request.whenOver(() => found.delivered());
    const { id } = opened;
    // After a logout or a login there is nothing to give back.
    undo = async () => {
      if (isStored && (await sessions.destroy(id))) await found.undo();
    };
    return opened;
  }

  /** Returns the session for a request whose old session another request has just taken over. */
  async function follow({ successor, underWay }: Adoption): Promise<Session> {
    // Until the new cookie has arrived, requests with the old one belong to the same user. A guest's request may be a
    // login, and a login needs a separate session.
    const shared = underWay && successor !== undefined ? await sessions.get(successor) : undefined;
    if (shared?.principal !== undefined) return shared;
    const session = await muted();
    const logout = session.logout.bind(session);
    // A logout must hold whichever response arrives last, so it also ends the session that took over.
    async function logoutBoth(): Promise<void> {
      if (successor !== undefined) await sessions.destroy(successor);
      await logout();
    }
    return Object.defineProperty(session, "logout", { value: logoutBoth });
  }

  return { adoptInto, endOldCookie: () => setCookies, undo: () => undo() };
}

/** When another site's page fetches or frames a response, browsers drop its cookie unless that is `SameSite=None`. */
function refusesCookie(sessions: SessionManager, { header }: AdoptingRequest): boolean {
  if (header("sec-fetch-site") !== "cross-site" || header("sec-fetch-dest") === "document") return false;
  return cookieSettingsOf(sessions).sameSite !== "none";
}

/** Name, domain and path identify the cookie of a `Set-Cookie` header (RFC 6265 section 5.3). */
function identityOf(setCookie: string): string {
  const attribute = (name: string): string | undefined =>
    new RegExp(`; *${name}=([^;]*)`, "i").exec(setCookie)?.[1];
  return [setCookie.split("=", 1)[0], attribute("Domain"), attribute("Path")].join(" ").toLowerCase();
}

/** The headers that remove the old cookie, without that of a cookie like ours, which a login may have just set. */
function ending(sessions: SessionManager, { setCookies }: Adoption): readonly string[] {
  const ours = identityOf(sessions.clearCookie());
  return setCookies.filter((old) => identityOf(old) !== ours);
}
