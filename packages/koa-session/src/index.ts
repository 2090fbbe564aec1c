export {
  type ContextStore,
  type KoaContextLike,
  type KoaSessionStore,
  type KoaSessionStoreOptions,
  koaSessionStore,
  type PrincipalOf,
} from "./store.ts";
