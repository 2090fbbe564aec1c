import { encodeCookie } from "../layout.ts";
import { Cookie } from "./cookie.ts";
import { unreadText } from "./unread.ts";

/** The data of a session as JSON, by key, without its cookie. What JSON leaves out is not there. */
export function textsOf(session: object): Map<string, string> {
  const texts = new Map<string, string>();
  for (const key of Object.keys(session)) {
    if (key === "cookie") continue;
    // JSON.stringify returns undefined for functions, symbols and undefined.
    const text: string | undefined = unreadText(session, key) ?? JSON.stringify(Reflect.get(session, key));
    if (text !== undefined) texts.set(key, text);
  }
  return texts;
}

/** As `encodeCookie`, in less time. */
export function cookieTextOf(cookie: unknown): ReturnType<typeof encodeCookie> {
  if (!(cookie instanceof Cookie)) return encodeCookie(cookie);
  const { expires, ...rest }: { expires?: unknown } = cookie.data;
  if (!expires) return { text: JSON.stringify({ ...rest, expires: null }), expiresAt: undefined };
  const time = expires instanceof Date ? expires.getTime() : Number.NaN;
  return time >= 0 ? { text: JSON.stringify(rest), expiresAt: time } : encodeCookie(cookie);
}
