import { Buffer } from "node:buffer";
import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { cookieValues } from "@sessions/core/adapter-tools";

/** The most ids that one request can make us look up in the store. */
const MOST_IDS = 4;
/** What express-session puts before a signed id. */
const PREFIX = "s:";

/** A secret that signs ids. */
export type Secret = string | NodeJS.ArrayBufferView | KeyObject;

/** The signature that express-session and `@fastify/session` append to an id. */
function signature(sid: string, secret: Secret): Buffer {
  return Buffer.from(createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, ""));
}

/** The text of an id with its signature, as it stands in express-session's cookie before percent-encoding. */
export const sign = (sid: string, secret: Secret): string => `${PREFIX}${sid}.${signature(sid, secret)}`;

/** The id in such a text; `undefined` if none of the secrets signed it. */
export function unsign(
  text: string,
  secrets: readonly Secret[],
  prefix: string = PREFIX,
): string | undefined {
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

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return "";
  }
}

/**
 * The ids in the cookies of one name that one of the secrets signed, in the header's order. A subdomain or an attacker
 * can plant a second cookie of the same name, so there may be several.
 *
 * @param prefix What comes before a signed id. @default that of express-session
 */
export function signedIds(
  header: string | undefined,
  name: string,
  secrets: readonly Secret[],
  prefix: string = PREFIX,
): string[] {
  const ids = new Set<string>();
  for (const value of cookieValues(header, name)) {
    const sid = unsign(decode(value), secrets, prefix);
    if (sid !== undefined) ids.add(sid);
    if (ids.size === MOST_IDS) break;
  }
  return [...ids];
}
