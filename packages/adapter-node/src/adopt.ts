import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, SessionManager } from "@sessions/core";
import { type Seal, sealSession } from "./hold-back.ts";

/**
 * Looks up the session that another library kept for a request's visitor; `undefined` where the Cookie header names none.
 * Where another request of this process is taking over the same one, it answers once that has released it. Rejects where
 * the other library's backend fails: down is not logged out.
 */
export type Adopt = (cookieHeader: string | undefined) => Promise<Adoption | undefined>;

/** A session of another library, and one request's part in taking it over. */
export interface Adoption {
  /**
   * `"live"`: it is to be taken over. `"adopted"`: another request did so a moment ago, and no response to this one may
   * overwrite the cookie of that. `"gone"`: the cookie leads nowhere any more.
   */
  readonly state: "live" | "adopted" | "gone";
  /** A Set-Cookie header's value that ends the old cookie. */
  readonly setCookie: string;
  /** Stages into a new session what the live one holds; a promise is waited for. */
  stage(session: Session): unknown;
  /**
   * Ends the live one, and leaves a note behind by which requests in flight are known for a while. `false` where it was
   * live no longer: it has ended, or another process took it over.
   */
  end(): Promise<boolean>;
  /** This request has done with it, and the next may have it. Safe to repeat. */
  release(): void;
}

/** What one request does to take a session over. */
export interface Adopting {
  /** Answers the session that the request is to have. */
  adoptInto(opened: Session): Promise<Session>;
  readonly seal: Seal;
}

/**
 * A session is taken over in this order: staged into a new one, that one committed, the old one ended, both cookies sent.
 * Whatever fails on the way leaves the old one to the next request.
 */
export function beginAdopting(
  sessions: SessionManager,
  adopt: Adopt,
  req: IncomingMessage,
  res: ServerResponse,
): Adopting {
  /** What is to end once the session that took it over is committed. */
  let taken: Adoption | undefined;
  let endOldCookie: readonly string[] = [];
  let failed = false;
  let closed = false;
  res.once("close", () => {
    closed = true;
    taken?.release();
  });

  async function adoptInto(opened: Session): Promise<Session> {
    // A muted session, which may set no cookie, must take nothing over. Its commit says so; that of any other which is
    // new and empty does nothing.
    if (opened.isNew && (await opened.commit()).status === "gone") return opened;
    const found = await adopt(req.headers.cookie);
    if (!found) return opened;
    try {
      if (found.state === "adopted" && opened.isNew)
        return await sessions.open(undefined, { crossSite: true });
      if (found.state === "live" && opened.isNew) {
        await found.stage(opened);
        taken = found;
      }
      // The visitor has a session of ours, and the response that was to end the old one did not arrive.
      else if (found.state === "live") await found.end();
      endOldCookie = [found.setCookie];
      return opened;
    } finally {
      if (!taken || closed) found.release();
    }
  }

  async function seal(session: Session): ReturnType<Seal> {
    // An error page sets no cookie: it would be one of a session that took nothing over. And a client that has gone
    // would never have the cookie, so the old session is left to its next request.
    if (failed || (taken && closed)) return undefined;
    try {
      const { setCookies, more } = await sealSession(session);
      if (taken && !(await taken.end())) {
        // Another process was faster, or it was a logout: what came of that is not to be overwritten.
        if (setCookies.length > 0) await sessions.destroy(session.id);
        return { setCookies: [], more: false };
      }
      // In this order, for it could be two cookies of one name.
      return { setCookies: [...endOldCookie, ...setCookies], more };
    } catch (error) {
      failed = taken !== undefined;
      throw error;
    } finally {
      taken?.release();
    }
  }

  return { adoptInto, seal };
}
