import type { Session, SessionManager } from "@sessions/core";
import type { Hono } from "hono";
import { type WithSessionOptions, withSession } from "../src/index.ts";

/** What the middleware adds to a context. */
export interface Sessioned {
  Variables: { session: Session };
}

/** The README's middleware. */
export function useSessions(
  app: Hono<Sessioned>,
  sessions: SessionManager,
  options: WithSessionOptions = {},
): void {
  app.use(async (c, next) => {
    c.res = await withSession(
      sessions,
      c.req.raw,
      async (session) => {
        c.set("session", session);
        await next();
        const { res } = c;
        c.res = undefined; // or Hono lays its headers over ours
        return res;
      },
      options,
    );
  });
}
