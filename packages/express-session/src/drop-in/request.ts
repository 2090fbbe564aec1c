import type { IncomingMessage } from "node:http";
import { type Secret, signedIds, unsign } from "@sessions/adopting";
import type { Session, SessionRequest } from "./session.ts";

/** A request, with what Express, `cookie-parser` and this middleware add. */
export type Request = IncomingMessage &
  SessionRequest & {
    originalUrl?: string;
    secret?: Secret;
    secure?: unknown;
    cookies?: Record<string, unknown>;
    signedCookies?: Record<string, unknown>;
    session?: Session | null | undefined;
  };

/** The path of a request, wherever the middleware is mounted. */
export function pathOf({ originalUrl, url = "" }: Request): string {
  const given = originalUrl ?? url;
  const path = given.startsWith("/") || !URL.canParse(given) ? given : new URL(given).pathname;
  return path.replace(/[?#].*$/s, "") || "/";
}

/**
 * Whether a request came over https.
 *
 * @param proxy `true` trusts `X-Forwarded-Proto`, `false` only the socket, `undefined` Express's `req.secure`.
 */
export function isSecure(req: Request, proxy: boolean | undefined): boolean {
  if (Reflect.get(Object(req.socket), "encrypted")) return true;
  if (proxy === false) return false;
  if (proxy !== true) return req.secure === true;
  const [first = ""] = String(req.headers["x-forwarded-proto"] ?? "").split(",", 1);
  return first.trim().toLowerCase() === "https";
}

/** The ids that a request's cookies name, by a valid signature. */
export function idsOf(req: Request, name: string, secrets: readonly Secret[]): string[] {
  const ids = signedIds(req.headers.cookie, name, secrets);
  if (ids.length > 0) return ids;
  // Where cookie-parser has taken the header apart.
  const signed = req.signedCookies?.[name];
  if (typeof signed === "string" && signed !== "") return [signed];
  const raw = req.cookies?.[name];
  const sid = typeof raw === "string" ? unsign(raw, secrets) : undefined;
  return sid === undefined ? [] : [sid];
}
