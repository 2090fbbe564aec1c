export {
  type AdonisSessionStore,
  type AdonisSessionStoreOptions,
  adonisSessionStore,
  type SessionData,
} from "./store.ts";
