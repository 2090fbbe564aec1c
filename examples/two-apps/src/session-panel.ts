import { isSessionError, type Session, type SessionManager } from "@sessions/core";
import type { RequestHandler } from "express";
import { type Html, html } from "./html.ts";

/** The data of the panel at the foot of every page. */
interface Summary {
  readonly id: string;
  readonly principal: string | undefined;
  /** The stores that hold something, with how many entries each. */
  readonly stores: readonly { name: string; entries: number }[];
  readonly expiresInSeconds: number;
}

/** Shortens an id. It is no secret, but 32 digits are hard to read. */
export const shortId = (id: string): string => id.slice(0, 8);

/** Returns the session's data, or `undefined` if nothing is stored yet. */
function summarise(session: Session): Summary | undefined {
  if (session.isNew) return undefined;
  return {
    id: shortId(session.id),
    principal: session.principal,
    stores: session.storeNames().map((name) => ({ name, entries: session.store(name).size })),
    expiresInSeconds: Math.max(0, Math.round((session.expiresAt.getTime() - Date.now()) / 1000)),
  };
}

/**
 * The panel requests this every few seconds. That must not keep a session alive, so it opens with `touch: false` and
 * commits nothing: it writes nothing, sends no cookie, and brings no session back.
 */
export function sessionStatus(sessions: SessionManager): RequestHandler {
  return async (req, res) => {
    try {
      const session = await sessions.open(req.headers.cookie, { touch: false });
      res.json({ session: summarise(session) ?? null });
    } catch (error) {
      if (!isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
      res.status(503).json({});
    }
  };
}

function inWords(seconds: number): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, "second"]
      : seconds < 7200
        ? [seconds / 60, "minute"]
        : [seconds / 3600, "hour"];
  return `in ${Math.round(count)} ${unit}${Math.round(count) === 1 ? "" : "s"}`;
}

/** The panel. It works without JavaScript, and `script.ts` keeps it up to date. */
export function sessionPanel(session: Session): Html {
  const summary = summarise(session);
  const stores = summary?.stores.map(({ name, entries }) => html`<li>${name} <b>${entries}</b></li>`);
  return html`
<footer class="panel" data-panel="/session.json" data-seconds="${summary?.expiresInSeconds}">
  <h2>Your session <span class="live" data-live hidden>live</span></h2>
  <p data-note>${summary ? "" : "None yet. You are looking only: no cookie, nothing stored."}</p>
  <dl${summary ? "" : html` hidden`} data-facts>
    <div><dt>Signed in as</dt><dd data-who>${summary?.principal ?? "nobody"}</dd></div>
    <div><dt>Expires</dt><dd data-expires>${summary && inWords(summary.expiresInSeconds)}</dd></div>
    <div><dt>Id</dt><dd><code data-id>${summary?.id}</code></dd></div>
    <div><dt>Stores, with entries</dt><dd><ul class="chips" data-stores>${stores}</ul></dd></div>
  </dl>
</footer>`;
}
