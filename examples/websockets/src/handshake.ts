import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { isSessionError, type SessionManager } from "@sessions/core";

/**
 * Whether a page of another origin asks: browsers send our cookie then too, where `SameSite` lets them (a sibling domain,
 * another port), and CORS holds neither for websockets nor for forms. A request with neither header is no browser's.
 */
export function isCrossOrigin({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** The status to refuse a handshake with, whose session could not be read. */
export function statusOf(error: unknown): 500 | 503 {
  // Down is not logged out: the client is to come again.
  if (isSessionError(error, "ERR_SESSION_UNAVAILABLE")) return 503;
  console.error(error);
  return 500;
}

/** The session that a socket is opened for, or the status to refuse its handshake with. */
export type Verdict = { readonly id: string } | { readonly refused: 401 | 403 | 500 | 503 };

/** Judges a handshake by its headers, as an HTTP request is judged: a socket has nothing else to show. */
export async function judge(sessions: SessionManager, request: IncomingMessage): Promise<Verdict> {
  if (isCrossOrigin(request)) return { refused: 403 };
  try {
    // Only to learn the id. It is never committed: what answers a handshake cannot be relied on to carry a cookie.
    const session = await sessions.open(request.headers.cookie, { touch: false });
    return session.isNew ? { refused: 401 } : { id: session.id };
  } catch (error) {
    return { refused: statusOf(error) };
  }
}

/** Answers an upgrade with a status, and nothing else. */
export function refuse(socket: Duplex, status: number): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    // Who was refused has nothing more to say.
    () => socket.destroy(),
  );
}
