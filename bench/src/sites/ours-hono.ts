import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { withSession } from "@sessions/adapter-fetch";
import type { Session } from "@sessions/core";
import { Hono } from "hono";
import { closeManager, openManager, visitOf } from "./our-sessions.ts";
import { answer, type OpenSite } from "./routes.ts";

export const open: OpenSite = async ({ keeping, url }) => {
  const sessions = await openManager(keeping, url);
  const app = new Hono<{ Variables: { session: Session } }>();
  app.use(async (c, next) => {
    c.res = await withSession(sessions, c.req.raw, async (session) => {
      c.set("session", session);
      await next();
      const { res } = c;
      c.res = undefined;
      return res;
    });
  });
  app.all("/*", async (c) => {
    const { pathname, search } = new URL(c.req.url);
    return c.text(await answer(pathname + search, visitOf(c.var.session)));
  });
  return { server: createServer(getRequestListener(app.fetch)), close: () => closeManager(sessions) };
};
