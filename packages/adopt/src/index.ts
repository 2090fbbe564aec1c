/** Takes over the sessions of other libraries, so that users stay logged in while a site moves. */
export type { Done, OldCookieOptions, StoredSession, StoreLike } from "@sessions/adopting";
export { type AdoptCookieSessionOptions, adoptCookieSession } from "./cookie-session.ts";
export { type AdoptFastifySessionOptions, adoptFastifySession } from "./fastify-session.ts";
export { type AdoptIronSessionOptions, adoptIronSession } from "./iron-session.ts";
export { type AdoptKoaSessionOptions, adoptKoaSession, type KoaStoreLike } from "./koa-session.ts";
export type { AdoptOnceOptions } from "./once.ts";
export { type AdoptReactRouterSessionOptions, adoptReactRouterSession } from "./react-router.ts";
export type { KeygripLike, Keys } from "./signed-values.ts";
