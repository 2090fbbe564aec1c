/** A bridge to and from express-session: drivers as its store, its stores as drivers. */
export type { StoredSession } from "./layout.ts";
export {
  type Done,
  type ExpressSessionStore,
  type ExpressSessionStoreOptions,
  expressSessionStore,
  type StoreClass,
} from "./store.ts";
