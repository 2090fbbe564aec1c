/** What the adapters of all frameworks decide alike. */

import { COOKIE, type CookieSettings } from "../context/cookie.ts";
import type { SessionManager } from "../manager/manager.ts";
import type { OpenOptions } from "../session/open.ts";
import type { CommitResult, Session } from "../session/session.ts";

const SAFE: readonly unknown[] = ["GET", "HEAD", "OPTIONS", "TRACE"];

interface FetchHeaders {
  get(name: string): string | null;
}

/** A request of `node:http`, Express, Koa or Fastify, or one of the Fetch API. */
export interface RequestHead {
  readonly method?: string | undefined;
  readonly headers: FetchHeaders | { readonly "sec-fetch-site"?: string | string[] | undefined };
}

/**
 * Whether another site's page sent a request that is not `GET`, `HEAD`, `OPTIONS` or `TRACE`. Answer it with 403 before
 * the session is opened: `SameSite` does not stop another site's form from logging the visitor in under the name of the
 * attacker. An address that a sign-in service posts to is the exception.
 *
 * Browsers tell by `Sec-Fetch-Site`, which they send over https and to this machine alone. Without that header the
 * result is `false`.
 *
 * @example
 * app.use((req, res, next) => (isCrossSiteWrite(req) ? res.sendStatus(403) : next()));
 */
export function isCrossSiteWrite({ method, headers }: RequestHead): boolean {
  const site = isFetchHeaders(headers) ? headers.get("Sec-Fetch-Site") : headers["sec-fetch-site"];
  return site === "cross-site" && !SAFE.includes(method);
}

const isFetchHeaders = (headers: RequestHead["headers"]): headers is FetchHeaders =>
  typeof Reflect.get(headers, "get") === "function";

/** How a manager's cookie is set, every default filled in; empty for a manager that does not tell. */
export const cookieSettingsOf = (sessions: SessionManager): Readonly<Partial<CookieSettings>> =>
  Reflect.get(sessions, COOKIE) ?? {};

/** What an adapter knows of a request. */
export interface RequestFacts {
  readonly method: string | undefined;
  /** The headers, by name in lower case. */
  readonly header: (name: "sec-fetch-site" | "host") => string | undefined;
  /** The socket is encrypted, or the framework's own, trusted answer is that the request came over https. */
  readonly https: boolean;
  /** `false`: the request does not keep the session alive. */
  readonly touch: boolean;
}

/** Hosts to which browsers send `Sec-Fetch-*` without TLS: the loopback names and addresses (Secure Contexts, 3.1). */
const LOOPBACK = /^((.*\.)?localhost\.?|127(\.\d{1,3}){3}|\[::1\])(:\d*)?$/i;

/**
 * How a request opens its session. An option that has nothing to say is left out.
 *
 * - `crossSite`: another site's page sent it, and `SameSite` may have held our cookie back.
 * - `secure`: it came over https. `Sec-Fetch-Site` shows that too, since browsers send it to https and to this machine
 *   alone; so a proxy that ends TLS is seen without trusting any header of its own.
 */
export function openOptionsOf(
  sessions: SessionManager,
  { method, header, https, touch }: RequestFacts,
): OpenOptions {
  const site = header("sec-fetch-site");
  const host = header("host");
  const isCrossSite =
    site === "cross-site" && (!SAFE.includes(method) || cookieSettingsOf(sessions).sameSite === "strict");
  const isSecure = https || (site !== undefined && host !== undefined && !LOOPBACK.test(host));
  return {
    ...(!touch && { touch }),
    ...(isCrossSite && { crossSite: true }),
    ...(isSecure && { secure: true }),
  };
}

/** A response's headers, whatever a framework keeps them in. */
export interface ResponseHeaders {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  delete(name: string): void;
  names(): Iterable<string>;
}

const listOf = (value: string | undefined): string[] =>
  (value ?? "")
    .replace(/"(?:[^"\\]|\\.)*"/g, "")
    .toLowerCase()
    .split(",")
    .map((item) => item.trim());

/** Headers that only the caches of CDNs and proxies go by, before `Cache-Control` (RFC 9213, and the vendors' own). */
const FOR_CDNS = /-cache-control$|^(surrogate-control|edge-control|x-accel-expires)$/i;

/** For a response that sets the session's cookie: keeps shared caches from handing it to others. */
export function keepFromCaches(headers: ResponseHeaders): void {
  const directives = listOf(headers.get("Cache-Control"));
  if (!directives.includes("private") && !directives.includes("no-store"))
    headers.set("Cache-Control", "private, no-store");
  for (const name of [...headers.names()]) if (FOR_CDNS.test(name)) headers.delete(name);
}

/** For a response that was made of a session the program looked at (`wasRead`): no cache may take it for everybody's. */
export function varyByCookie(headers: ResponseHeaders): void {
  const vary = headers.get("Vary");
  const fields = listOf(vary);
  if (!fields.includes("cookie") && !fields.includes("*"))
    headers.set("Vary", vary?.trim() ? `${vary}, Cookie` : "Cookie");
}

/**
 * Whether a session can still be written to once a commit has sealed it: not one that has ended, and none that the client
 * has no cookie for. A new one has a record where the handler committed it: its cookie is still to be sent.
 */
export const mayWriteMore = (session: Session, { status, setCookie }: CommitResult): boolean =>
  status === "committed" || (status === "unchanged" && (!session.isNew || setCookie !== undefined));

/** Whether an answer of this status reports an error, so that a login that led to it does not count. */
export const reportsError = (status: number): boolean => status >= 400;

let warned = false;

/** Says once a process, outside production, that a login was taken back. */
export function warnOfDroppedLogin(status: number | string): void {
  if (warned || process.env["NODE_ENV"] === "production") return;
  warned = true;
  process.emitWarning(
    `login() or rotate() was dropped, because the answer is ${status}. Call session.commit() before such an answer to keep it`,
  );
}
