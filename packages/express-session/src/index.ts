/** A bridge to and from express-session: a driver as its store, and its stores as drivers. */
export type { Done, OldCookieOptions, StoredSession, StoreLike } from "@sessions/adopting";
export { type AdoptExpressSessionOptions, adoptExpressSession, type OldSession } from "./adopt.ts";
export { type FromExpressSessionStoreOptions, fromExpressSessionStore } from "./driver.ts";
export { session as "module.exports", session as default } from "./drop-in/drop-in.ts";
export { type SessionMiddleware, sessionOf } from "./drop-in/middleware.ts";
export type { SessionOptions } from "./drop-in/options.ts";
export { expressSessionExclusions } from "./exclusions.ts";
export { expressSessionStore } from "./store.ts";
export type { ExpressSessionStore, ExpressSessionStoreOptions, StoreClass } from "./store-types.ts";
