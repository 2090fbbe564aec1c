import { Hono } from "hono";
import { CookieStore, type Session, type SessionData, type Store, sessionMiddleware } from "hono-sessions";
import {
  EVERYWHERE,
  IN_COOKIE,
  IN_STORE,
  type Means,
  type Peer,
  type PeerApplication,
  textStore,
  USER,
} from "../peer.ts";
import { pathOf, reply, serve } from "./hono.ts";

type Env = { Variables: { session: Session<Record<string, unknown>>; session_key_rotation: boolean } };

/** The places are headings of the README of hono-sessions. */
function meansOf(session: Session<Record<string, unknown>>, rotate: () => void): Means {
  return {
    read: () =>
      Object.fromEntries(
        Object.entries(session.getCache()._data).map(([key, entry]) => [key, Object(entry).value]),
      ),
    // "API"
    set: (key, value) => session.set(key, value),
    // "Features": session key rotation, by the variable of "Examples"
    login(user) {
      session.set(USER, user);
      rotate();
    },
    rotate,
    // Not in the README. Its type: deleteSession()
    logout: () => session.deleteSession(),
  };
}

function start({ name, cookie, sessionOf, handle, onError }: PeerApplication, store: Store | CookieStore) {
  const { sameSite = "Lax", ...others } = cookie;
  const app = new Hono<Env>();
  app.use(
    "*",
    // "Examples"
    sessionMiddleware({
      store,
      sessionCookieName: name,
      encryptionKey: "a secret of the bench's own, and long enough",
      expireAfterSeconds: 900,
      autoExtendExpiration: true,
      cookieOptions: { sameSite, path: "/", httpOnly: true, ...others },
    }),
  );
  app.all("*", async (c) => {
    const session = sessionOf(meansOf(c.get("session"), () => c.set("session_key_rotation", true)));
    return reply(c, await handle(session, c.req.method, pathOf(c)));
  });
  app.onError((error, c) => {
    onError(error);
    return c.text("error page", 500);
  });
  return serve(app);
}

function storeOf({ gate }: PeerApplication): Store {
  const store = textStore(gate);
  return {
    // Its own stores have no other type for what they have stored.
    getSessionById: async (sid) => (sid === undefined ? undefined : ((await store.get(sid)) as SessionData)),
    createSession: (sid, data) => store.set(sid, data),
    persistSessionData: (sid, data) => store.set(sid, data),
    deleteSession: (sid) => store.destroy(sid),
  };
}

const common = { packages: ["hono-sessions", "hono", "@hono/node-server"], abilities: ["streams"] } as const;

export const honoSessionsPeers: readonly Peer[] = [
  {
    ...common,
    name: "hono-sessions + a store",
    apart: [...EVERYWHERE, ...IN_STORE],
    start: (application) => start(application, storeOf(application)),
  },
  {
    ...common,
    name: "hono-sessions + CookieStore",
    apart: [...EVERYWHERE, ...IN_COOKIE],
    start: (application) => start(application, new CookieStore()),
  },
];
