import type { SessionManager } from "@sessions/core";

const strict = new WeakMap<SessionManager, boolean>();
const SAFE = ["GET", "HEAD", "OPTIONS", "TRACE"];

/** Whether `SameSite` may have held our cookie back; the manager looks whether it came after all. */
export function isCrossSite(sessions: SessionManager, { headers, method }: Request): boolean {
  if (headers.get("Sec-Fetch-Site") !== "cross-site") return false;
  return !SAFE.includes(method) || isStrict(sessions);
}

function isStrict(sessions: SessionManager): boolean {
  let known = strict.get(sessions);
  if (known === undefined) {
    // The manager does not tell its settings, but this header does.
    known = /; *SameSite=Strict/i.test(sessions.clearCookie());
    strict.set(sessions, known);
  }
  return known;
}

/** Adds the session's cookie to the application's own, and keeps shared caches from handing it to others. */
export function addCookie(headers: Headers, setCookie: string): void {
  headers.append("Set-Cookie", setCookie);
  const directives = (headers.get("Cache-Control") ?? "")
    .replace(/"(?:[^"\\]|\\.)*"/g, "")
    .toLowerCase()
    .split(",")
    .map((directive) => directive.trim());
  if (!directives.includes("private") && !directives.includes("no-store"))
    headers.set("Cache-Control", "private, no-store");
}
