import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import {
  type Session,
  type SessionData,
  type SessionEnv,
  type Storage,
  useSession,
  useSessionStorage,
} from "@hono/session";
import { Hono } from "hono";
import { answer, type OpenSite, type Visit } from "./routes.ts";

/** A request's session. Every change of it starts from the stored data. */
function visitOf(session: Session<SessionData>): Visit {
  const data = (): SessionData => session.data ?? {};
  return {
    get: (key) => data()[key],
    set: (key, value) => session.update((before) => ({ ...before, [key]: value })),
    increment: (key) => session.update((before) => ({ ...before, [key]: Number(before?.[key] ?? 0) + 1 })),
    entries: data,
    login: (user) => session.update((before) => ({ ...before, user })),
    logout: () => session.delete(),
  };
}

/** Keeps sessions in this process. Without it they are in the cookie. */
function mapStorage(): Storage<SessionData> {
  const sessions = new Map<string, SessionData>();
  return {
    get: (sid) => sessions.get(sid) ?? null,
    set: (sid, data) => void sessions.set(sid, data),
    delete: (sid) => void sessions.delete(sid),
  };
}

export const open: OpenSite = async ({ keeping }) => {
  const app = new Hono<SessionEnv>();
  if (keeping === "memory") app.use(useSessionStorage(mapStorage()));
  app.use(useSession({ secret: "a".repeat(64) }));
  app.all("/*", async (c) => {
    await c.var.session.get();
    const { pathname, search } = new URL(c.req.url);
    return c.text(await answer(pathname + search, visitOf(c.var.session)));
  });
  return { server: createServer(getRequestListener(app.fetch)), close: async () => {} };
};
