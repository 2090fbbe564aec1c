// What the adapters of all frameworks decide in the same way.

import { warnOnce } from "../base/warn-once.ts";
import { COOKIE, type CookieSettings } from "../context/cookie.ts";
import type { SessionManager } from "../manager/manager.ts";
import type { OpenOptions } from "../session/open.ts";
import type { CommitResult, Session } from "../session/session.ts";

const SAFE: readonly unknown[] = ["GET", "HEAD", "OPTIONS", "TRACE"];

interface FetchHeaders {
  get(name: string): string | null;
}

/** The head of a request of `node:http`, Express, Koa, Fastify or the Fetch API. */
export interface RequestHead {
  /** The HTTP method, in upper case. */
  readonly method?: string | undefined;
  /** The headers: an object with names in lower case, or `Headers`. */
  readonly headers: FetchHeaders | { readonly "sec-fetch-site"?: string | string[] | undefined };
}

/**
 * Returns whether the page of another site sent a request with a method other than `GET`, `HEAD`, `OPTIONS` or `TRACE`.
 * Respond with 403 before the session is opened: `SameSite` does not stop a form of another site that logs the visitor
 * in as the attacker. The only exception is a URL to which a sign-in service posts.
 *
 * Browsers send `Sec-Fetch-Site` over https and to this machine, but not over plain http. Without that header the
 * result is `false` (Fetch Metadata).
 *
 * @example
 * import { createServer } from "node:http";
 * import { isCrossSiteWrite } from "@sessions/core/adapter-tools";
 *
 * createServer((req, res) => {
 *   if (isCrossSiteWrite(req)) res.writeHead(403).end();
 *   else res.end("Hello");
 * });
 */
export function isCrossSiteWrite({ method, headers }: RequestHead): boolean {
  const site = isFetchHeaders(headers) ? headers.get("Sec-Fetch-Site") : headers["sec-fetch-site"];
  return site === "cross-site" && !SAFE.includes(method);
}

const isFetchHeaders = (headers: RequestHead["headers"]): headers is FetchHeaders =>
  typeof Reflect.get(headers, "get") === "function";

/**
 * Checks what an application passes as the manager of its sessions. `where` names the function that was called.
 * @throws TypeError `sessions` is not a session manager, for example because its promise was not awaited.
 *
 * @example
 * import type { SessionManager } from "@sessions/core";
 * import { checkManager } from "@sessions/core/adapter-tools";
 *
 * export function sessionPlugin(sessions: SessionManager) {
 *   checkManager("sessionPlugin", sessions);
 * }
 */
export function checkManager(where: string, sessions: SessionManager): void {
  if (typeof sessions?.open !== "function")
    throw new TypeError(
      `${where}: sessions is not a session manager. Pass the result of createSessionManager()`,
    );
}

/**
 * Returns the cookie settings of a manager, with all defaults. Returns an empty object for a wrapped manager without
 * them.
 *
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { cookieSettingsOf } from "@sessions/core/adapter-tools";
 *
 * const { name = "sid" } = cookieSettingsOf(createSessionManager());
 */
export const cookieSettingsOf = (sessions: SessionManager): Readonly<Partial<CookieSettings>> =>
  Reflect.get(sessions, COOKIE) ?? {};

/** What an adapter knows about a request, for {@link openOptionsOf}. */
export interface RequestFacts {
  /** The HTTP method, in upper case. */
  readonly method: string | undefined;
  /** Returns a header by its name in lower case. */
  readonly header: (name: "sec-fetch-site" | "host") => string | undefined;
  /**
   * Whether the socket is encrypted, or the framework says, by proxies that it trusts, that the request came over
   * https.
   */
  readonly https: boolean;
  /** Whether the request keeps the session alive. */
  readonly touch: boolean;
}

/** Hosts that get `Sec-Fetch-*` without TLS: loopback names and addresses (Secure Contexts, section 3.1). */
const LOOPBACK = /^((.*\.)?localhost\.?|127(\.\d{1,3}){3}|\[::1\])(:\d*)?$/i;

/**
 * Returns the options with which an adapter opens the session of a request. Options that keep their default are left
 * out.
 *
 * - `crossSite`: the page of another site sent the request, so `SameSite` may have held back our cookie.
 * - `secure`: the request came over https. `Sec-Fetch-Site` shows that too, because browsers send it only over https
 *   and to this machine. So https is recognised behind a proxy that ends TLS, without trusting any header of the proxy.
 *
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { openOptionsOf } from "@sessions/core/adapter-tools";
 *
 * const sessions = createSessionManager();
 *
 * export const open = ({ method, headers }: Request) =>
 *   sessions.open(
 *     headers.get("Cookie"),
 *     openOptionsOf(sessions, {
 *       method,
 *       header: (name) => headers.get(name) ?? undefined,
 *       https: false,
 *       touch: true,
 *     }),
 *   );
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

/** A response's headers, for every framework. Names ignore case. */
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

/** Headers that CDNs and proxies obey instead of `Cache-Control` (RFC 9213, and headers of vendors). */
const FOR_CDNS = /-cache-control$|^(surrogate-control|edge-control|x-accel-expires)$/i;

/**
 * Call it for a response that sets the session's cookie, so that no shared cache gives the cookie to other visitors.
 *
 * @example
 * const headers = new Map<string, string>();
 * keepFromCaches({
 *   get: (name) => headers.get(name.toLowerCase()),
 *   set: (name, value) => headers.set(name.toLowerCase(), value),
 *   delete: (name) => headers.delete(name.toLowerCase()),
 *   names: () => headers.keys(),
 * });
 */
export function keepFromCaches(headers: ResponseHeaders): void {
  const directives = listOf(headers.get("Cache-Control"));
  if (!directives.includes("private") && !directives.includes("no-store"))
    headers.set("Cache-Control", "private, no-store");
  for (const name of [...headers.names()]) if (FOR_CDNS.test(name)) headers.delete(name);
}

/**
 * Call it for a response that may depend on the session (`wasRead()`), so that no cache serves it to other visitors.
 */
export function varyByCookie(headers: ResponseHeaders): void {
  const vary = headers.get("Vary");
  const fields = listOf(vary);
  if (!fields.includes("cookie") && !fields.includes("*"))
    headers.set("Vary", vary?.trim() ? `${vary}, Cookie` : "Cookie");
}

/**
 * Returns whether a session can still be written to after a sealed commit. A session that has ended cannot, and neither
 * can a session for which the client has no cookie. A new session can if its cookie goes out with this response.
 *
 * It looks at the session, so call `wasRead()` before it.
 */
export const mayWriteMore = (session: Session, { status, setCookie }: CommitResult): boolean =>
  status === "committed" || (status === "unchanged" && (!session.isNew || setCookie !== undefined));

/** Returns whether a response with this status reports an error, so that a login in its request is dropped. */
export const reportsError = (status: number): boolean => status >= 400;

/** Warns, once in each process and not in production, that a login was dropped. */
export function warnOfDroppedLogin(status: number | string): void {
  if (process.env["NODE_ENV"] === "production") return;
  warnOnce(
    "login",
    `login() or rotate() was dropped, because the response is ${status}. To keep it, call session.commit() before such a response`,
  );
}
