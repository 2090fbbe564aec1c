import { promisify } from "node:util";
import { expressSessionStore } from "@sessions/express-session";
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { listen, send } from "../node-server.ts";
import {
  EVERYWHERE,
  type Gate,
  IN_STORE,
  type Means,
  type Peer,
  type PeerApplication,
  USER,
} from "../peer.ts";
import type { SeenSession } from "../session.ts";
import { gatedRedis, type Redis } from "./redis.ts";

const valuesOf = (req: express.Request): Record<string, unknown> => Object(req.session);

/** The places are headings of express-session's README. */
const meansOf = (req: express.Request, res: express.Response): Means => {
  /** "Session.save(callback)": the end of the response does it; what comes later calls it. */
  const save = (): Promise<void> => promisify<void>((done) => req.session.save(done))();
  return {
    id: req.sessionID,
    read() {
      const { cookie: _, ...values } = valuesOf(req);
      return values;
    },
    // "req.session"
    set(key, value) {
      valuesOf(req)[key] = value;
      return res.writableEnded || res.destroyed ? save() : undefined;
    },
    // "User login": regenerate, set, save
    async login(user) {
      await promisify<void>((done) => req.session.regenerate(done))();
      valuesOf(req)[USER] = user;
      await save();
    },
    // "User login", its /logout: clear, save, regenerate
    async logout() {
      valuesOf(req)[USER] = null;
      await save();
      await promisify<void>((done) => req.session.regenerate(done))();
    },
    save,
  };
};

type OpenStore = (application: PeerApplication) => { store: session.Store; close?(): Promise<unknown> };

async function start(application: PeerApplication, openStore: OpenStore) {
  const { name, cookie, sessionOf, handle, onError, before, after } = application;
  const { store, close } = openStore(application);
  const app = express();
  // So that Express does not print each error.
  app.set("env", "test");
  const seen = new WeakMap<express.Request, SeenSession>();
  const sessionBy = (req: express.Request) => () => seen.get(req);
  app.use((req, res, next) => {
    before(res, sessionBy(req));
    next();
  });
  app.use(
    session({
      store,
      name,
      secret: "a secret of the bench's own",
      // Both as the README advises ("resave", "saveUninitialized").
      resave: false,
      saveUninitialized: false,
      // "cookie.secure": "auto" fits http and https.
      cookie: { secure: "auto", ...cookie },
    }),
  );
  app.use((req, res, next) => {
    seen.set(req, sessionOf(meansOf(req, res)));
    after(res, sessionBy(req));
    next();
  });
  app.use(async (req, res) => {
    const its = seen.get(req);
    if (its) await send(res, await handle(its, req.method, req.url));
  });
  const errorPage: express.ErrorRequestHandler = (error, _req, res, next) => {
    onError(error);
    // "The Default Error Handler" of Express: delegate what comes after the headers.
    if (res.headersSent) next(error);
    else res.status(500).end("error page");
  };
  app.use(errorPage);
  const server = await listen(app);
  return {
    url: server.url,
    async close() {
      server.close();
      await close?.();
    },
    destroy: (id: string) => promisify<void>((done) => store.destroy(id, done))(),
  };
}

type Own = session.MemoryStore;

/** Calls the store after the gate, or back with the gate's error. */
function after(gate: Promise<void>, done: ((error?: unknown) => void) | undefined, call: () => void): void {
  gate.then(call, (error: unknown) => done?.(error));
}

/** express-session's own store, behind the gate. */
class GatedMemoryStore extends session.MemoryStore {
  readonly #gate: Gate;
  constructor(gate: Gate) {
    super();
    this.#gate = gate;
  }
  override get(...[sid, done]: Parameters<Own["get"]>): void {
    after(this.#gate.read(), done, () => super.get(sid, done));
  }
  override set(...[sid, value, done]: Parameters<Own["set"]>): void {
    after(this.#gate.write(sid), done, () => super.set(sid, value, done));
  }
  override touch(...[sid, value, done]: Parameters<Own["touch"]>): void {
    after(this.#gate.write(sid), done, () => super.touch(sid, value, done));
  }
  override destroy(...[sid, done]: Parameters<Own["destroy"]>): void {
    after(this.#gate.destroy(sid), done, () => super.destroy(sid, done));
  }
}

const abilities = ["streams", "node"] as const;

export const expressSessionPeers = (redis: Redis): readonly Peer[] => [
  {
    name: "express-session + MemoryStore",
    packages: ["express-session", "express"],
    abilities,
    apart: [...EVERYWHERE, ...IN_STORE],
    start: (application) => start(application, ({ gate }) => ({ store: new GatedMemoryStore(gate) })),
  },
  {
    name: "express-session + connect-redis",
    packages: ["express-session", "connect-redis", "redis", "express"],
    abilities,
    apart: [...EVERYWHERE, ...IN_STORE],
    start: (application) =>
      start(application, ({ gate }) => {
        const { client, prefix, clear } = gatedRedis(redis, gate);
        return { store: new RedisStore({ client, prefix }), close: clear };
      }),
  },
  {
    name: "express-session + expressSessionStore(driver)",
    packages: ["express-session", "@sessions/express-session", "express"],
    abilities,
    apart: EVERYWHERE,
    start: (application) =>
      start(application, ({ driver }) => ({ store: expressSessionStore(driver, { Store: session.Store }) })),
  },
];
