import { createServer } from "node:http";
import { promisify } from "node:util";
import express from "express";
import session from "express-session";
import { openStore } from "./peer-stores.ts";
import { answer, type OpenSite, type Visit } from "./routes.ts";

/** A request's session. The application chooses its keys. */
function visitOf(req: express.Request): Visit {
  const values = (): Record<string, unknown> => req.session as unknown as Record<string, unknown>;
  return {
    get: (key) => values()[key],
    set(key, value) {
      values()[key] = value;
    },
    increment(key) {
      values()[key] = Number(values()[key] ?? 0) + 1;
    },
    entries() {
      const { cookie: _, ...entries } = values();
      return entries;
    },
    async login(user) {
      await promisify<void>((done) => req.session.regenerate(done))();
      values()["user"] = user;
    },
    logout: () => promisify<void>((done) => req.session.destroy(done))(),
  };
}

export const open: OpenSite = async ({ keeping, url }) => {
  const { store, close } = await openStore(keeping, url);
  const app = express();
  app.use(session({ store, secret: "a secret of the bench's own", resave: false, saveUninitialized: false }));
  app.use(async (req, res) => {
    res.send(await answer(req.url, visitOf(req)));
  });
  return { server: createServer(app), close };
};
