import {
  type Session,
  type SessionData,
  type SessionEnv,
  type Storage,
  useSession,
  useSessionStorage,
} from "@hono/session";
import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
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

/** The places are headings of the README of @hono/session. */
function meansOf(session: Session<SessionData>): Means {
  // "update()" with new data, and "Update<Data>" with a function of the previous data. Without a cookie each update
  // begins anew, so that both take in what the request has set before.
  const set = (key: string, value: unknown) => session.update({ ...session.data, [key]: value });
  return {
    read: () => ({ ...session.data }),
    set,
    change: (key, change) =>
      session.update((before) => ({
        ...session.data,
        ...before,
        [key]: change({ ...session.data, ...before }[key]),
      })),
    login: (user) => set(USER, user),
    // "delete()"
    logout: () => session.delete(),
  };
}

function start(
  { name, cookie, sessionOf, handle, onError }: PeerApplication,
  storage?: Storage<SessionData>,
) {
  const app = new Hono<SessionEnv>();
  // "With Session storage"
  if (storage) app.use(useSessionStorage(storage));
  app.use(
    useSession({
      secret: "a".repeat(64),
      // "MaxAgeDuration": "It is recommended to provide value for duration.absolute"
      duration: { absolute: 86_400 },
      // "Options": the means to change the cookie's name and attributes
      // Of its overloads the library calls the one with a name.
      getCookie: ((c: Context) => getCookie(c, name)) as unknown as typeof getCookie,
      setCookie: (c, _name, value, options) => setCookie(c, name, value, { ...options, ...cookie }),
      deleteCookie: (c, _name, options) => deleteCookie(c, name, { ...options, ...cookie }),
    }),
  );
  app.all("/*", async (c) => {
    // "Example"
    await c.var.session.get();
    return reply(c, await handle(sessionOf(meansOf(c.var.session)), c.req.method, pathOf(c)));
  });
  app.onError((error, c) => {
    onError(error);
    return c.text("error page", 500);
  });
  return serve(app);
}

function storageOf({ gate }: PeerApplication): Storage<SessionData> {
  const store = textStore(gate);
  return {
    get: async (sid) => ((await store.get(sid)) as SessionData | undefined) ?? null,
    set: (sid, data) => store.set(sid, data),
    delete: (sid) => store.destroy(sid),
  };
}

const common = { packages: ["@hono/session", "hono", "@hono/node-server"], abilities: ["streams"] } as const;

export const honoSessionPeers: readonly Peer[] = [
  {
    ...common,
    name: "@hono/session + a storage",
    apart: [...EVERYWHERE, ...IN_STORE],
    start: (application) => start(application, storageOf(application)),
  },
  {
    ...common,
    name: "@hono/session",
    apart: [...EVERYWHERE, ...IN_COOKIE],
    start: (application) => start(application),
  },
];
