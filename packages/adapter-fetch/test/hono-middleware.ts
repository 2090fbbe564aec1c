import type { Session, SessionManager } from "@sessions/core";
import type { Hono } from "hono";
import { withSession as open, type WithSessionOptions } from "../src/index.ts";

/** The middleware's additions to a context. */
export interface Sessioned {
  Variables: { session: Session };
}

/** The README's middleware. */
export function useSessions(
  app: Hono<Sessioned>,
  sessions: SessionManager,
  options: WithSessionOptions = {},
): void {
  const withSession: typeof open = (...given) => open(given[0], given[1], given[2], options);
  app.use(async (c, next) => {
    c.res = await withSession(sessions, c.req.raw, async (session) => {
      c.set("session", session);
      await next();
      const { res } = c;
      c.res = undefined; // or Hono lays its headers over ours
      return res;
    });
  });
}
