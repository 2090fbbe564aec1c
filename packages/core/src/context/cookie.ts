import { stringifySetCookie } from "cookie";
import type { Duration } from "../base/duration.ts";
import { milliseconds } from "../base/duration.ts";
import { SessionConfigError } from "../base/errors.ts";
import { checkAmong, checkOption, checkOptions, show } from "../base/options.ts";

/** How the session cookie is set. It is always `HttpOnly`. */
export interface CookieOptions {
  /**
   * The cookie's name.
   * @default "__Host-sid" in production, "__Secure-sid" there with a `domain` or a `path`, "sid" elsewhere
   */
  name?: string | undefined;
  /** The path below which requests carry it. @default "/" */
  path?: string | undefined;
  /** The domain whose subdomains get the cookie too. @default none: this host alone */
  domain?: string | undefined;
  /** Only over https. @default true in production (`NODE_ENV`) */
  secure?: boolean | undefined;
  /** Whether requests from other sites carry the cookie; `"none"` needs `secure`. @default "lax" */
  sameSite?: "lax" | "strict" | "none" | undefined;
  /** A cookie of its own for each top-level site (CHIPS); needs `secure`. @default false */
  partitioned?: boolean | undefined;
  /** Which cookies a full jar drops first (Chromium). @default none */
  priority?: "low" | "medium" | "high" | undefined;
  /**
   * How long the browser keeps the cookie, apart from how long the session lives; `"session"` until it closes.
   * @default the absolute timeout, or 400 days where that is off
   */
  maxAge?: "session" | Duration | undefined;
}

/**
 * A Set-Cookie header as an object, for frameworks with a `cookies.set()`: the attributes of RFC 6265 by their usual
 * names, absent where they are not sent. `maxAge` is in seconds, 0 to remove the cookie.
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

/** Under which a manager tells adapters how its cookie is set. Registered, so that two copies of this package agree. */
export const COOKIE: unique symbol = Symbol.for("@sessions/core/cookie");

/** RFC 6265bis section 5.5: browsers keep no cookie longer. */
const MAX_AGE = 400 * 86_400_000;

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

/** @throws SessionConfigError for an option that is unknown, out of range, or that browsers would refuse. */
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
    // A session that ends within a second still needs a cookie.
    maxAge = Math.max(Math.min(absolute, MAX_AGE), 1000),
    name: given,
  } = options;
  const hostOnly = domain === undefined && path === "/";
  const name = given ?? (production && secure ? (hostOnly ? "__Host-sid" : "__Secure-sid") : "sid");

  checkAmong("cookie.secure", secure, true, false);
  checkAmong("cookie.partitioned", partitioned, true, false);
  checkAmong("cookie.sameSite", sameSite, "lax", "strict", "none");
  checkAmong("cookie.priority", priority, undefined, "low", "medium", "high");
  checkOption(isText(path) && path.startsWith("/"), "cookie.path", 'text that begins with "/"', path);
  checkOption(domain === undefined || isText(domain), "cookie.domain", "a domain", domain);
  checkOption(isText(name), "cookie.name", "a name", name);
  // Browsers drop such cookies without a word: RFC 6265bis sections 4.1.3 and 5.7.
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

/** A Set-Cookie header's value. */
export const formatCookie = (cookie: SessionCookie): string => stringifySetCookie(cookie);

/** Whatever `trim()` removes beside the white space of RFC 6265. */
const NO_SPACE = /[^\S \t]/g;

/**
 * The values of all cookies of one name in a Cookie header, in its order, each once. A subdomain or an attacker can
 * plant a second cookie of a name, and parsers that make an object keep one.
 *
 * @param header The request's `Cookie` header, if it has one.
 * @param name The cookie's name, compared exactly.
 * @returns The values without quotes around them, not decoded.
 */
export function cookieValues(header: string | null | undefined, name: string): string[] {
  if (!header?.includes(name)) return [];
  const values = new Set<string>();
  // A name after U+00A0 has no prefix for a browser, and must be none of ours.
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
