import { stringifySetCookie } from "cookie";
import type { Duration } from "./duration.ts";
import { milliseconds, show } from "./duration.ts";
import { SessionConfigError } from "./errors.ts";

/** How the session cookie is set. It is always `HttpOnly`. */
export interface CookieOptions {
  /**
   * The cookie's name.
   * @default "__Host-sid" in production, "__Secure-sid" there with a `domain` or a `path`, "sid" elsewhere
   */
  name?: string | undefined;
  /** @default "/" */
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

/** A Set-Cookie header as an object, for frameworks with a `cookies.set()`. `maxAge` is in seconds. */
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

const KNOWN = ["name", "path", "domain", "secure", "sameSite", "partitioned", "priority", "maxAge"];
/** RFC 6265bis section 5.5: browsers keep no cookie longer. */
const MAX_AGE = 400 * 86_400_000;

/** @throws SessionConfigError for an option that is unknown, out of range, or that browsers would refuse. */
export function cookieSettings(
  options: CookieOptions,
  absolute: number,
  production: boolean,
): CookieSettings {
  for (const option of Object.keys(options))
    if (!KNOWN.includes(option)) throw new SessionConfigError(`Unknown option cookie.${option}`);
  const {
    path = "/",
    domain,
    secure = production,
    sameSite = "lax",
    partitioned = false,
    priority,
  } = options;
  const hostOnly = domain === undefined && path === "/";
  const name = options.name ?? (production && secure ? (hostOnly ? "__Host-sid" : "__Secure-sid") : "sid");
  const age =
    options.maxAge === "session"
      ? undefined
      : milliseconds("cookie.maxAge", options.maxAge ?? Math.min(absolute, MAX_AGE), 1000);

  const oneOf = (option: string, value: unknown, allowed: readonly unknown[]): void => {
    if (!allowed.includes(value))
      throw new SessionConfigError(
        `cookie.${option} must be one of ${allowed.map(show).join(", ")}; got ${show(value)}`,
      );
  };
  oneOf("secure", secure, [true, false]);
  oneOf("partitioned", partitioned, [true, false]);
  oneOf("sameSite", sameSite, ["lax", "strict", "none"]);
  if (priority !== undefined) oneOf("priority", priority, ["low", "medium", "high"]);
  const needsSecure =
    sameSite === "none"
      ? 'sameSite "none"'
      : partitioned
        ? "partitioned"
        : /^__(host|secure|http)-/i.test(name)
          ? `name ${show(name)}`
          : "";
  if (needsSecure && !secure)
    throw new SessionConfigError(
      `cookie.${needsSecure} needs cookie.secure: browsers refuse the cookie without it`,
    );
  if (/^__host-/i.test(name) && !hostOnly)
    throw new SessionConfigError(
      `cookie.name ${show(name)} allows no cookie.domain, and no cookie.path but "/"`,
    );

  const settings: CookieSettings = {
    name,
    path,
    httpOnly: true,
    secure,
    sameSite,
    ...(domain !== undefined && { domain }),
    ...(age !== undefined && { maxAge: Math.floor(age / 1000) }),
    ...(partitioned && { partitioned }),
    ...(priority !== undefined && { priority }),
  };
  try {
    formatCookie({ ...settings, value: "" });
  } catch (cause) {
    throw new SessionConfigError(
      `cookie: name ${show(name)}, path ${show(path)} or domain ${show(domain)} cannot stand in a Set-Cookie header`,
      { cause },
    );
  }
  return settings;
}

/** A Set-Cookie header's value. */
export const formatCookie = (cookie: SessionCookie): string => stringifySetCookie(cookie);

/**
 * The values of all cookies of one name in a Cookie header, in its order, each once. A subdomain or an attacker can
 * plant a second cookie of a name, and parsers that make an object keep one.
 */
export function cookieValues(header: string | null | undefined, name: string): string[] {
  const values = new Set<string>();
  if (!header?.includes(name)) return [];
  for (const pair of header.split(";")) {
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
