import { createHmac, timingSafeEqual } from "node:crypto";

/** As many ids as one request may make us look up. */
const MOST_IDS = 4;

/** What express-session signs an id with. */
function signature(sid: string, secret: string): Buffer {
  return Buffer.from(createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, ""));
}

/** The id in a cookie's value, if one of the secrets signed it. */
function unsign(value: string, secrets: readonly string[]): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(value);
  } catch {
    return undefined;
  }
  const dot = text.lastIndexOf(".");
  if (!text.startsWith("s:") || dot < 0) return undefined;
  const sid = text.slice(2, dot);
  const given = Buffer.from(text.slice(dot + 1));
  const isSigned = secrets.some((secret) => {
    const expected = signature(sid, secret);
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  return isSigned && sid !== "" ? sid : undefined;
}

/** RFC 6265's white space and no other: a name after U+00A0 has no prefix for a browser, and must be none here. */
const trim = (text: string): string => text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, "");

/**
 * The ids of express-session's cookies of one name in a Cookie header, in its order, as far as one of the secrets signed
 * them. Anybody can plant a second cookie of a name.
 */
export function signedIds(header: string | undefined, name: string, secrets: readonly string[]): string[] {
  const ids = new Set<string>();
  if (!header?.includes(name)) return [];
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals < 0 || trim(pair.slice(0, equals)) !== name) continue;
    const value = trim(pair.slice(equals + 1));
    const sid = unsign(value.replace(/^"(.*)"$/, "$1"), secrets);
    if (sid !== undefined) ids.add(sid);
    if (ids.size === MOST_IDS) break;
  }
  return [...ids];
}
