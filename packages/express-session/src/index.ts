/** A bridge to and from express-session: a driver as its store, and its stores as drivers. */
export type { Done, OldCookieOptions, StoredSession, StoreLike } from "@sessions/adopting";
export { type AdoptExpressSessionOptions, adoptExpressSession, type OldSession } from "./adopt.ts";
export { type FromExpressSessionStoreOptions, fromExpressSessionStore } from "./driver.ts";
export { expressSessionExclusions } from "./exclusions.ts";
export {
  type ExpressSessionStore,
  type ExpressSessionStoreOptions,
  expressSessionStore,
  type StoreClass,
} from "./store.ts";
