import type { Session } from "@sessions/core";

export { isCrossSiteWrite } from "@sessions/core/adapter-tools";
export { openSession, type SessionPluginOptions, sessionPlugin } from "./plugin.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The session that `sessionPlugin` opened. With `lazy: true` it throws until `openSession` has resolved. */
    session: Session;
  }
}
