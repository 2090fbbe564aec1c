import { checkOption, checkOptions } from "@sessions/core/driver-tools";

/**
 * The attributes with which the other library set its cookie. A browser removes a cookie only if the name, `path` and
 * `domain` of the new header are the same, and accepts the header only if the other attributes fit them.
 */
export interface OldCookieOptions {
  /** The path of the old cookie. @default "/" */
  readonly path?: string | undefined;
  /** The domain of the old cookie. @default none: the host that set it */
  readonly domain?: string | undefined;
  /**
   * Whether the old cookie was for https only.
   * @default false; true if the name's prefix (`__Host-`), `sameSite: "none"` or `partitioned` needs it
   */
  readonly secure?: boolean | undefined;
  /** Which requests of other sites carried the old cookie. @default "lax" */
  readonly sameSite?: "lax" | "strict" | "none" | undefined;
  /** Whether the old cookie was partitioned (CHIPS). @default false */
  readonly partitioned?: boolean | undefined;
}

export const isNonEmpty = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Whether a name, a path or a domain fits into a `Set-Cookie` header. */
const isCookieText = (value: unknown): boolean => isNonEmpty(value) && /^[!-:<-~]+$/.test(value);

/**
 * Checks the name and the attributes of the old cookie.
 *
 * @param maker The function whose options they are, for messages.
 * @param option The option that holds the name.
 * @returns What makes the value of a `Set-Cookie` header that removes the cookie of a name.
 */
export function readOldCookie(
  maker: string,
  option: string,
  name: string,
  cookie: OldCookieOptions,
): (name: string) => string {
  const attributes = ["path", "domain", "secure", "sameSite", "partitioned"] as const;
  checkOptions(maker, cookie, attributes, "cookie.");
  const { path = "/", domain, secure = false, sameSite = "lax", partitioned = false } = cookie;
  checkOption(isCookieText(name) && !name.includes("="), option, "a cookie's name", name);
  checkOption(isCookieText(path), "cookie.path", "a path", path);
  checkOption(domain === undefined || isCookieText(domain), "cookie.domain", "a domain", domain);
  checkOption([true, false].includes(secure), "cookie.secure", "true or false", secure);
  checkOption(
    ["lax", "strict", "none"].includes(sameSite),
    "cookie.sameSite",
    "lax, strict or none",
    sameSite,
  );
  checkOption([true, false].includes(partitioned), "cookie.partitioned", "true or false", partitioned);
  return (name) =>
    [
      `${name}=`,
      ...(domain === undefined ? [] : [`Domain=${domain}`]),
      `Path=${path}`,
      "Max-Age=0",
      "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      "HttpOnly",
      // Browsers refuse such cookies without Secure.
      ...(secure || partitioned || sameSite === "none" || /^__(host|secure|http)-/i.test(name)
        ? ["Secure"]
        : []),
      `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`,
      ...(partitioned ? ["Partitioned"] : []),
    ].join("; ");
}
