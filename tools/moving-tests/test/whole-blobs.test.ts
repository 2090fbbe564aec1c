import { setTimeout as sleep } from "node:timers/promises";
import { type SessionData, type SessionEnv, useSession, useSessionStorage } from "@hono/session";
import { withSession } from "@sessions/adapter-fetch";
import { createSessionManager, type Session } from "@sessions/core";
import * as h3 from "h3";
import { Hono } from "hono";
import Keyv from "keyv";
import { createStorage } from "unstorage";
import { expect, test } from "vitest";

// docs/moving/whole-blob-stores.md says what these tests show.

type Blob = Record<string, string>;
interface Keeping {
  get(id: string): Promise<Blob | null | undefined>;
  set(id: string, blob: Blob): Promise<unknown>;
  remove(id: string): Promise<unknown>;
}

/** What every session over such a store does: it reads the blob as a request begins, and writes it as that ends. */
async function begin(keeping: Keeping) {
  const blob = { ...(await keeping.get("sid")) };
  return { blob, end: () => keeping.set("sid", blob) };
}

const storage = createStorage<Blob>();
const keyv = new Keyv<Blob>();
const keepings: [string, Keeping][] = [
  [
    "unstorage, which Astro's session.driver is",
    {
      get: (id) => storage.getItem<Blob>(id),
      set: (id, blob) => storage.setItem(id, blob),
      remove: (id) => storage.removeItem(id),
    },
  ],
  [
    "keyv",
    { get: (id) => keyv.get(id), set: (id, blob) => keyv.set(id, blob), remove: (id) => keyv.delete(id) },
  ],
];

test.each(keepings)("%s: of two overlapping requests, one loses its key", async (_, keeping) => {
  await keeping.set("sid", { user: "ada" });
  const [slow, quick] = [await begin(keeping), await begin(keeping)];
  quick.blob["quick"] = "1";
  await quick.end();
  slow.blob["slow"] = "1";
  await slow.end();
  expect(await keeping.get("sid")).toEqual({ user: "ada", slow: "1" });
});

test.each(keepings)(
  "%s: a request that ends after the logout brings the session back",
  async (_, keeping) => {
    await keeping.set("sid", { user: "ada" });
    const slow = await begin(keeping);
    await keeping.remove("sid");
    slow.blob["slow"] = "1";
    await slow.end();
    expect(await keeping.get("sid")).toEqual({ user: "ada", slow: "1" });
  },
);

/** @param pause What a read of the storage waits for. */
function honoSession(stored: boolean, pause: () => Promise<unknown> = () => sleep(20)) {
  const app = new Hono<SessionEnv>();
  const kept = new Map<string, SessionData>();
  if (stored)
    app.use(
      useSessionStorage({
        async get(sid) {
          const data = kept.get(sid) ?? null;
          await pause();
          return data;
        },
        set: (sid, data) => void kept.set(sid, data),
        delete: (sid) => void kept.delete(sid),
      }),
    );
  app.use(useSession({ secret: "a".repeat(64) }));
  app.get("/", async (c) => {
    const { session } = c.var;
    await session.get();
    const { key, logout } = c.req.query();
    if (logout !== undefined) {
      session.delete();
      return c.json({});
    }
    if (key) await session.update((before) => ({ ...before, [key]: "1" }));
    return c.json(session.data ?? {});
  });
  return app;
}

function h3Session() {
  const app = h3.createApp();
  app.use(
    h3.defineEventHandler(async (event) => {
      const session = await h3.useSession<Blob>(event, { password: "a".repeat(64) });
      const { key, logout } = h3.getQuery(event);
      if (logout !== undefined) await session.clear();
      else if (typeof key === "string") await session.update({ [key]: "1" });
      return session.data;
    }),
  );
  const handle = h3.toWebHandler(app);
  return {
    request: (path: string, init: RequestInit) => handle(new Request(`http://localhost${path}`, init)),
  };
}

function ours() {
  const sessions = createSessionManager();
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
  app.get("/", async (c) => {
    const { session } = c.var;
    const store = session.store<Blob>("site");
    const { key, logout } = c.req.query();
    if (logout !== undefined) await session.logout();
    else if (key) store.set(key, "1");
    return c.json(Object.fromEntries(store.entries()));
  });
  return app;
}

function browser(app: { request(path: string, init: RequestInit): Response | Promise<Response> }) {
  let cookie = "";
  const ask = async (path: string, sent = cookie): Promise<object> => {
    const response = await app.request(path, { headers: { cookie: sent } });
    for (const line of response.headers.getSetCookie()) cookie = line.split(";", 1)[0] ?? "";
    return Object(await response.json());
  };
  return { ask, cookie: () => cookie };
}

const sites = [
  ["@hono/session in the cookie", () => honoSession(false), false],
  ["@hono/session with a storage", () => honoSession(true), false],
  ["h3's useSession, which Nitro and Nuxt have", h3Session, false],
  ["sessions in Hono", ours, true],
] as const;

test.each(sites)("%s: two overlapping requests set different keys", async (_, site, holds) => {
  const { ask } = browser(site());
  await ask("/?key=first");
  await Promise.all([ask("/?key=one"), ask("/?key=two")]);
  expect(Object.keys(await ask("/"))).toHaveLength(holds ? 3 : 2);
});

test.each(sites.filter(([name]) => !name.endsWith("a storage")))(
  "%s: a request that overlaps with the logout",
  async (_, site, holds) => {
    const { ask, cookie } = browser(site());
    await ask("/?key=first");
    const before = cookie();
    await Promise.all([ask("/?key=late"), ask("/?logout")]);
    expect(await ask("/", before)).toEqual(holds ? {} : expect.objectContaining({ first: "1" }));
  },
);

test("@hono/session with a storage: a request that overlaps with the logout", async () => {
  const reads: (() => void)[] = [];
  let isHeld = false;
  const pause = (): Promise<void> =>
    isHeld ? new Promise((resolve) => void reads.push(resolve)) : Promise.resolve();
  const { ask, cookie } = browser(honoSession(true, pause));
  await ask("/?key=first");
  const before = cookie();
  isHeld = true;
  const late = ask("/?key=late");
  await expect.poll(() => reads.length).toBe(1);
  reads[0]?.();
  // update() has read again.
  await expect.poll(() => reads.length).toBe(2);
  isHeld = false;
  await ask("/?logout");
  reads[1]?.();
  await late;
  expect(await ask("/", before)).toEqual({ first: "1", late: "1" });
});
