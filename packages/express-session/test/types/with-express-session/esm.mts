// The types of express-session go on typing `req.session`: an application changes one import.

import type { Session } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import session, { expressSessionStore, type SessionOptions, sessionOf } from "@sessions/express-session";
import express, { type Request } from "express";

declare module "express-session" {
  interface SessionData {
    user: { id: string };
    views: number;
  }
}

const options: session.SessionOptions = {
  secret: ["new", "old"],
  driver: memoryDriver(),
  resave: false,
  saveUninitialized: false,
  cookie: { maxAge: 60_000, sameSite: "lax", secure: "auto" },
  genid: (req: Request) => req.ip ?? "",
  principal: ({ user }) => user,
} satisfies SessionOptions;
const middleware = session(options);

const app = express();
app.use(middleware);
app.use(
  session({
    secret: "secret",
    cookie: (req: Request) => ({ secure: req.secure }),
    genid: (req) => req.url ?? "",
  }),
);
app.get("/", async (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1;
  req.session.cookie.maxAge = 1000;
  const id: string | undefined = req.session.user?.id;
  // @ts-expect-error it is a number
  req.session.views = "1";
  req.session.regenerate((error) => res.json([error, req.sessionID, id]));
  const core: Session = sessionOf(req);
  core.store<{ items: string[] }>("cart").set("items", []);
  await middleware.sessions.destroyAll({ principal: "anna", except: core.id });
});
// @ts-expect-error no such option
session({ secret: "secret", savUninitialized: true });

export class OwnStore extends session.Store {
  override get(_sid: string, callback: (error: unknown) => void): void {
    callback(null);
  }
  override set(_sid: string, _session: object): void {}
  override destroy(_sid: string): void {}
}
export const store: session.Store = new OwnStore();
session({ secret: "secret", store });
session({ secret: "secret", store: new session.MemoryStore() });
session({ secret: "secret", store: expressSessionStore(memoryDriver()) });
