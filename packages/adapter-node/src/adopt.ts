import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, SessionManager } from "@sessions/core";
import { type Adoption, cookieSettingsOf } from "@sessions/core/adapter-tools";
import { type Seal, sealSession } from "./hold-back/hold-back.ts";

/**
 * Looks up the session that another library kept for a request's visitor; `undefined` where the Cookie header names none.
 * Where another request of this process is taking over the same one, the promise waits until that one has released it. Rejects where
 * the other library's backend fails: down is not logged out.
 */
export type Adopt = (cookieHeader: string | undefined) => Promise<Adoption | undefined>;

/** What one request does to take a session over. */
export interface Adopting {
  /** Returns the session that the request is to have. */
  adoptInto(opened: Session): Promise<Session>;
  readonly seal: Seal;
}

/**
 * A session is taken over before the handler runs, in this order: staged into a new one, that one committed, the old one
 * ended. Whatever fails on the way leaves the old one to the next request.
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
    // A muted session, which may set no cookie, must take nothing over. Its commit says so; that of any other which is
    // new and empty does nothing.
    if ((await opened.commit()).status === "gone") return opened;
    if (refusesCookie(sessions, req)) return muted();
    const found = await adopt(req.headers.cookie);
    if (!found) return opened;
    try {
      // A client that has gone would never have the cookie.
      if (found.state === "live" && !res.closed) return await takeOver(found, opened);
      if (found.state === "adopted") return await follow(found);
      if (found.state === "gone") endOldCookie = ending(sessions, found);
      return opened;
    } finally {
      found.release();
    }
  }

  /** The visitor has a session of ours, and the response that was to end the old one did not arrive. */
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
      // A visitor with a session of ours does not depend on the old backend; the next request tries again.
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
      // No client was given its token.
      if (isStored) await sessions.destroy(opened.id).catch(() => false);
      throw error;
    }
    if (!isOurs) {
      // Another process was faster, or it was a logout: what came of that is not to be overwritten.
      if (isStored) await sessions.destroy(opened.id);
      return muted();
    }
    endOldCookie = ending(sessions, found);
    if (res.closed) found.delivered();
    else res.once("close", () => found.delivered());
    return opened;
  }

  /** What a request in flight has, whose session another one took over. */
  async function follow({ successor, underWay }: Adoption): Promise<Session> {
    // Until its cookie has arrived, requests beside it belong to the same user. A guest's may be a login, which needs a
    // session of its own.
    const shared = underWay && successor !== undefined ? await sessions.get(successor) : undefined;
    if (shared?.principal !== undefined) return shared;
    const session = await muted();
    const logout = session.logout.bind(session);
    // A visitor who logs out stays out, whichever response arrives last.
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

/** Browsers drop the cookie of a response to what another site's page fetches or frames, unless it is `SameSite=None`. */
function refusesCookie(sessions: SessionManager, { headers }: IncomingMessage): boolean {
  if (headers["sec-fetch-site"] !== "cross-site" || headers["sec-fetch-dest"] === "document") return false;
  return cookieSettingsOf(sessions).sameSite !== "none";
}

/** Which cookie a Set-Cookie header is about: RFC 6265 section 5.3, its name, domain and path. */
function identityOf(setCookie: string): string {
  const attribute = (name: string): string | undefined =>
    new RegExp(`; *${name}=([^;]*)`, "i").exec(setCookie)?.[1];
  return [setCookie.split("=", 1)[0], attribute("Domain"), attribute("Path")].join(" ").toLowerCase();
}

/** What ends the old cookie; nothing where it is ours by name, for a login elsewhere may have set it again. */
function ending(sessions: SessionManager, { setCookie }: Adoption): readonly string[] {
  const { name, domain, path } = cookieSettingsOf(sessions);
  const ours = [name, domain, path].join(" ").toLowerCase();
  return identityOf(setCookie) === ours ? [] : [setCookie];
}
