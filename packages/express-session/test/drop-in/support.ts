import type { Driver, SessionManager } from "@sessions/core";
import express, { type Express } from "express";
import session, { type SessionMiddleware, type SessionOptions } from "../../src/index.ts";
import { listen } from "../support.ts";

export const secret = "it is a secret to nobody";

/** An application with the drop-in, and the manager of its sessions. */
export function appOn(
  driver: Driver,
  options: SessionOptions = {},
): { app: Express; sessions: SessionManager; middleware: SessionMiddleware } {
  const app = express();
  const middleware = session({ secret, saveUninitialized: false, driver, ...options });
  app.use(middleware);
  return { app, sessions: middleware.sessions, middleware };
}

/** The handlers of an application, by path. */
type Routes = Record<string, express.RequestHandler>;

/** Serves these handlers, with an error page that says which error it was. */
export async function serve(app: Express, routes: Routes): Promise<string> {
  for (const [path, handler] of Object.entries(routes)) app.get(path, handler);
  app.use(((error, _req, res, next) => {
    if (res.headersSent) next(error);
    else res.status(error.status ?? 500).send(String(error.code ?? error.message));
  }) satisfies express.ErrorRequestHandler);
  return listen(app);
}

/** Reads everything that a session holds. */
export const show: express.RequestHandler = (req, res) => {
  const { cookie: _, ...data } = req.session;
  res.json(data);
};

/** Sets what the query says. */
export const set: express.RequestHandler = (req, res) => {
  Object.assign(req.session, req.query);
  res.end();
};

/** A driver that counts its calls, and can fail. */
export function watched(inner: Driver): { driver: Driver; calls: string[]; down: Set<string> } {
  const calls: string[] = [];
  const down = new Set<string>();
  const driver = new Proxy(inner, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        calls.push(String(key));
        if (down.has(String(key))) return Promise.reject(new Error(`${String(key)} is down`));
        return value.apply(target, args);
      };
    },
  });
  return { driver, calls, down };
}
