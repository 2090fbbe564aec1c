/** iron-session's getIronSession over a session manager. */

export { getIronSession, type IronSession, type SessionOptions, sessionOf } from "./iron-session.ts";
export type { CookieStore } from "./jar.ts";
