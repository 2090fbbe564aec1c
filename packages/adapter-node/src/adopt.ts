import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, SessionManager } from "@sessions/core";
import { type Adoption, cookieSettingsOf } from "@sessions/core/adapter-tools";
import { type Seal, sealSession } from "./hold-back/hold-back.ts";

/**
 * Looks up the session that another library kept for a request's visitor. `adoptExpressSession` of
 * `@sessions/express-session` makes such a function for the option `adopt`.
 *
 * While another request of this process takes over the same session, the promise waits until that request calls
 * {@link Adoption.release}. It must reject if the other library's backend fails: a backend that is down must not look
 * like a logout.
 *
 * @param cookieHeader The request's `Cookie` header.
 * @returns `undefined` if the header names no session of the other library.
 */
export type Adopt = (cookieHeader: string | undefined) => Promise<Adoption | undefined>;

/** The steps by which one request takes a session over. */
export interface Adopting {
  /** Returns the session for this request: `opened`, or another one. */
  adoptInto(opened: Session): Promise<Session>;
  /** Seals the session, and adds the header that removes the old cookie. */
  readonly seal: Seal;
}

/**
 * Takes a session over before the handler runs: stages it into a new one, commits that one, then ends the old one. If a
 * step fails, the old session stays, and the next request tries again.
 */
export function beginAdopting(
  sessions: SessionManager,
  adopt: Adopt,
  req: IncomingMessage,
  res: ServerResponse,
): Adopting {
  let endOldCookie: readonly string[] = [];
  const muted = (): Promise<Session> => sessions.open(undefined, { crossSite: true });

  async function adoptInto(opened: Session): Promise<Session> {
    if (!opened.isNew) return endOld(opened);
    // A muted session may set no cookie, so it must take nothing over. Its commit returns "gone". For any other session
    // that is new and empty this commit does nothing.
    if ((await opened.commit()).status === "gone") return opened;
    if (refusesCookie(sessions, req)) return muted();
    const found = await adopt(req.headers.cookie);
    if (!found) return opened;
    try {
      // A client that has disconnected would never get the cookie.
      if (found.state === "live" && !res.closed) return await takeOver(found, opened);
      if (found.state === "adopted") return await follow(found);
      if (found.state === "gone") endOldCookie = ending(sessions, found);
      return opened;
    } finally {
      found.release();
    }
  }

  /** The visitor already has a session of ours: the response that removed the old cookie did not arrive. */
  async function endOld(opened: Session): Promise<Session> {
    try {
      const found = await adopt(req.headers.cookie);
      if (!found) return opened;
      try {
        if (found.state === "live") await found.end(undefined);
        endOldCookie = ending(sessions, found);
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
    endOldCookie = ending(sessions, found);
    if (res.closed) found.delivered();
    else res.once("close", () => found.delivered());
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

  async function seal(session: Session): ReturnType<Seal> {
    const { setCookies, more } = await sealSession(session);
    return { setCookies: [...endOldCookie, ...setCookies], more };
  }

  return { adoptInto, seal };
}

/** When another site's page fetches or frames a response, browsers drop its cookie unless that is `SameSite=None`. */
function refusesCookie(sessions: SessionManager, { headers }: IncomingMessage): boolean {
  if (headers["sec-fetch-site"] !== "cross-site" || headers["sec-fetch-dest"] === "document") return false;
  return cookieSettingsOf(sessions).sameSite !== "none";
}

/** Name, domain and path identify the cookie of a `Set-Cookie` header (RFC 6265 section 5.3). */
function identityOf(setCookie: string): string {
  const attribute = (name: string): string | undefined =>
    new RegExp(`; *${name}=([^;]*)`, "i").exec(setCookie)?.[1];
  return [setCookie.split("=", 1)[0], attribute("Domain"), attribute("Path")].join(" ").toLowerCase();
}

/** The header that removes the old cookie; none if it is the same cookie as ours, which a login may have just set. */
function ending(sessions: SessionManager, { setCookie }: Adoption): readonly string[] {
  return identityOf(setCookie) === identityOf(sessions.clearCookie()) ? [] : [setCookie];
}
