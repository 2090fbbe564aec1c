import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { isSessionError, type SessionManager } from "@sessions/core";

/**
 * Whether a page of another origin sends the request. The browser then sends our cookie too, if `SameSite` allows it (a
 * sibling domain, another port). CORS applies neither to websockets nor to forms. A request without both headers comes
 * from no browser.
 */
export function isCrossOrigin({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Returns the status for a handshake whose session could not be read. */
export function statusOf(error: unknown): 500 | 503 {
  // Down is not logged out: the client should come again.
  if (isSessionError(error, "ERR_SESSION_UNAVAILABLE")) return 503;
  console.error(error);
  return 500;
}

/** The session of a new socket, or the status that refuses its handshake. */
export type Verdict = { readonly id: string } | { readonly refused: 401 | 403 | 500 | 503 };

/** Judges a handshake by its headers, like an HTTP request. */
export async function judge(sessions: SessionManager, request: IncomingMessage): Promise<Verdict> {
  if (isCrossOrigin(request)) return { refused: 403 };
  try {
    // Open it only for the id, and never commit it: the response to a handshake may not carry a cookie.
    const session = await sessions.open(request.headers.cookie, { touch: false });
    return session.isNew ? { refused: 401 } : { id: session.id };
  } catch (error) {
    return { refused: statusOf(error) };
  }
}

/** Responds to an upgrade with only a status. */
export function refuse(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    // Read nothing more from a refused client.
    () => socket.destroy(),
  );
}
