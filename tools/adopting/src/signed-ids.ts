import { createHmac, timingSafeEqual } from "node:crypto";
import { cookieValues } from "@sessions/core/adapter-tools";

/** The most ids that one request can make us look up in the store. */
const MOST_IDS = 4;

/** The signature that express-session and `@fastify/session` append to an id. */
function signature(sid: string, secret: string): Buffer {
  return Buffer.from(createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, ""));
}

/** The id in a cookie's value; `undefined` if none of the secrets signed it. */
function unsign(value: string, prefix: string, secrets: readonly string[]): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(value);
  } catch {
    return undefined;
  }
  const dot = text.lastIndexOf(".");
  if (!text.startsWith(prefix) || dot < 0) return undefined;
  const sid = text.slice(prefix.length, dot);
  const given = Buffer.from(text.slice(dot + 1));
  const isSigned = secrets.some((secret) => {
    const expected = signature(sid, secret);
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  return isSigned && sid !== "" ? sid : undefined;
}

/**
 * The ids in the cookies of one name that one of the secrets signed, in the header's order. A subdomain or an attacker
 * can plant a second cookie of the same name, so there may be several.
 *
 * @param prefix What comes before a signed id.
 */
export function signedIds(
  header: string | undefined,
  name: string,
  prefix: string,
  secrets: readonly string[],
): string[] {
  const ids = new Set<string>();
  for (const value of cookieValues(header, name)) {
    const sid = unsign(value, prefix, secrets);
    if (sid !== undefined) ids.add(sid);
    if (ids.size === MOST_IDS) break;
  }
  return [...ids];
}
