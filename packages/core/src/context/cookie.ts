import { stringifySetCookie } from "cookie";
import type { Duration } from "../base/duration.ts";
import { milliseconds } from "../base/duration.ts";
import { SessionConfigError } from "../base/errors.ts";
import { checkAmong, checkOption, checkOptions, show } from "../base/options.ts";

/**
 * The attributes of the session cookie. It is always `HttpOnly`.
 *
 * @example
 * const sessions = createSessionManager({
 *   cookie: { domain: "example.com", sameSite: "strict", secure: true },
 * });
 */
export interface CookieOptions {
  /**
   * The cookie's name.
   * @default "__Host-sid" in production, "__Secure-sid" there with a `domain` or a `path`, "sid" elsewhere
   */
  name?: string | undefined;
  /** The path for which browsers send the cookie. @default "/" */
  path?: string | undefined;
  /** A domain whose subdomains get the cookie too. @default none: only this host */
  domain?: string | undefined;
  /** Send it only over https. @default true in production (`NODE_ENV`) */
  secure?: boolean | undefined;
  /** Whether requests from other sites carry the cookie (RFC 6265bis). `"none"` needs `secure`. @default "lax" */
  sameSite?: "lax" | "strict" | "none" | undefined;
  /** Keep a separate cookie for each top-level site (CHIPS). Needs `secure`. @default false */
  partitioned?: boolean | undefined;
  /** Which cookies Chromium drops first if it has too many. @default none */
  priority?: "low" | "medium" | "high" | undefined;
  /**
   * How long the browser keeps the cookie, at least 1 second; `"session"` keeps it until the browser closes. It does
   * not change how long the session lives.
   * @default the absolute timeout, at most 400 days
   */
  maxAge?: "session" | Duration | undefined;
}

/**
 * A Set-Cookie header as an object, for frameworks with a `cookies.set()`. It has the attributes of RFC 6265 by their
 * usual names; an attribute that is not sent is absent. `maxAge` is in seconds; 0 removes the cookie.
 */
export interface SessionCookie {
  name: string;
  value: string;
  path: string;
  httpOnly: true;
  secure: boolean;
  sameSite: "lax" | "strict" | "none";
  domain?: string;
  maxAge?: number;
  partitioned?: boolean;
  priority?: "low" | "medium" | "high";
}

/** The cookie without its value. */
export type CookieSettings = Omit<SessionCookie, "value">;

/**
 * The property of a manager with its cookie settings, for adapters. Symbol.for, so that two copies of this package
 * agree.
 */
export const COOKIE: unique symbol = Symbol.for("@sessions/core/cookie");

/** Browsers keep no cookie longer (RFC 6265bis, section 5.5). */
const MAX_AGE = 400 * 86_400_000;

const isNonEmpty = (value: unknown): boolean => typeof value === "string" && value !== "";

/** @throws SessionConfigError An option is unknown, out of range, or browsers would refuse it. */
export function cookieSettings(
  options: CookieOptions,
  absolute: number,
  production: boolean,
): CookieSettings {
  checkOptions(
    "createSessionManager",
    options,
    ["name", "path", "domain", "secure", "sameSite", "partitioned", "priority", "maxAge"],
    "cookie.",
  );
  const {
    path = "/",
    domain,
    secure = production,
    sameSite = "lax",
    partitioned = false,
    priority,
    // Even a session of less than a second needs a cookie; a maxAge of 0 would remove it.
    maxAge = Math.max(Math.min(absolute, MAX_AGE), 1000),
    name: given,
  } = options;
  const hostOnly = domain === undefined && path === "/";
  const name = given ?? (production && secure ? (hostOnly ? "__Host-sid" : "__Secure-sid") : "sid");

  checkAmong("cookie.secure", secure, true, false);
  checkAmong("cookie.partitioned", partitioned, true, false);
  checkAmong("cookie.sameSite", sameSite, "lax", "strict", "none");
  checkAmong("cookie.priority", priority, undefined, "low", "medium", "high");
  checkOption(isNonEmpty(path) && path.startsWith("/"), "cookie.path", 'text that begins with "/"', path);
  checkOption(domain === undefined || isNonEmpty(domain), "cookie.domain", "a domain", domain);
  checkOption(isNonEmpty(name), "cookie.name", "a name", name);
  // Browsers silently drop such cookies (RFC 6265bis, sections 4.1.3 and 5.7).
  const needsSecure =
    (sameSite === "none" && 'cookie.sameSite "none"') ||
    (partitioned && "cookie.partitioned") ||
    (/^__(host|secure|http)-/i.test(name) && `cookie.name ${show(name)}`);
  if (needsSecure && !secure) throw new SessionConfigError(`${needsSecure} needs cookie.secure`);
  if (!hostOnly && /^__host-/i.test(name))
    throw new SessionConfigError(
      `cookie.name ${show(name)} allows no cookie.domain, and no cookie.path but "/"`,
    );

  const settings: CookieSettings = { name, path, httpOnly: true, secure, sameSite };
  if (domain !== undefined) settings.domain = domain;
  if (partitioned) settings.partitioned = true;
  if (priority) settings.priority = priority;
  if (maxAge !== "session") settings.maxAge = Math.floor(milliseconds("cookie.maxAge", maxAge, 1000) / 1000);
  try {
    formatCookie({ ...settings, value: "" });
  } catch (cause) {
    throw new SessionConfigError(
      `cookie: name ${show(name)}, path ${show(path)} or domain ${show(domain)} fits no Set-Cookie header`,
      { cause },
    );
  }
  return settings;
}

/** The settings with a shorter `maxAge`, in milliseconds; 0 lets the cookie end with the browser. */
export function withMaxAge(settings: CookieSettings, ms: number): CookieSettings {
  const { maxAge, ...others } = settings;
  const seconds = maxAge && Math.min(maxAge, Math.floor(ms / 1000));
  return seconds ? { ...others, maxAge: seconds } : others;
}

/** The cookie that removes the session's cookie from a browser. */
export const clearedCookie = (settings: CookieSettings): SessionCookie => ({
  ...settings,
  value: "",
  maxAge: 0,
});

/** A Set-Cookie header's value. */
export const formatCookie = (cookie: SessionCookie): string => stringifySetCookie(cookie);

/** The characters that `trim()` removes and RFC 6265 does not. */
const NO_SPACE = /[^\S \t]/g;

/**
 * The values of all cookies with one name in a Cookie header, in order and without duplicates. A subdomain or an
 * attacker can plant a second cookie with the name; parsers that return an object would keep only one.
 *
 * @param header The request's `Cookie` header, if it has one.
 * @param name The cookie's name, compared exactly.
 * @returns The values without quotes around them, not decoded.
 */
export function cookieValues(header: string | null | undefined, name: string): string[] {
  if (!header?.includes(name)) return [];
  const values = new Set<string>();
  // A name after U+00A0 has no __Host- prefix for a browser, so it must not match ours.
  for (const pair of header.replace(NO_SPACE, "\0").split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    values.add(
      pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, "$1"),
    );
  }
  return [...values];
}
