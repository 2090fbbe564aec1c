export {
  type ContextStore,
  type KoaSessionStore,
  type KoaSessionStoreOptions,
  koaSessionStore,
  type PrincipalOf,
} from "./store.ts";
