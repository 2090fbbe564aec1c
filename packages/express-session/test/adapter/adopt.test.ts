import { service } from "@sessions/test-services";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { StoreLike } from "../../src/index.ts";
import {
  ADA,
  ask,
  cookieOf,
  ENDED,
  gate,
  kept,
  type NewSite,
  OURS,
  SECRET,
  startNewSite,
  told,
  visitOldSite,
  visits,
  watched,
} from "./sites.ts";

const redis = service("redis");

async function redisStore(): Promise<session.Store> {
  const client = createClient({ url: redis?.url ?? "" });
  await client.connect();
  const prefix = `adopt-test-${process.pid}-${Math.random()}:`;
  onTestFinished(async () => {
    for await (const keys of client.scanIterator({ MATCH: `${prefix}*` }))
      if (keys.length > 0) await client.del(keys);
    client.destroy();
  });
  return new RedisStore({ client, prefix });
}

const recordsOf = async ({ sessions, calls }: NewSite, cookie: string): Promise<unknown> => {
  const found = await sessions.open(cookie);
  calls.length = 0;
  return { isNew: found.isNew, principal: found.principal };
};

describe.each([
  ["MemoryStore", async () => new session.MemoryStore(), true],
  ["connect-redis", redisStore, redis !== undefined],
])("a session in express-session's %s", (_name, open, isThere) => {
  test.skipIf(!isThere)(
    "becomes one of ours: login and cart stay, and the cookies change places",
    async () => {
      const store = await open();
      const { cookie } = await visitOldSite(store);
      const site = await startNewSite(store);
      const first = await ask(site.url, cookie);
      expect(first).toMatchObject({ status: 200, text: "ada: tea", cookies: [ENDED, OURS] });
      expect(first.headers.get("cache-control")).toBe("private, no-store");
      const next = await ask(site.url, cookieOf(first.cookies));
      expect(next).toMatchObject({ text: "ada: tea", cookies: [] });
    },
  );

  test.skipIf(!isThere)("leaves nothing but a note, for two minutes", async () => {
    const store = await open();
    const { cookie, sid } = await visitOldSite(store);
    const before = Date.now();
    await ask((await startNewSite(store)).url, cookie);
    const left = await kept(store, sid);
    expect(JSON.stringify(left)).not.toMatch(/\bada\b|tea/);
    const expires = new Date(Reflect.get(Reflect.get(Object(left), "cookie"), "expires")).getTime();
    expect(expires).toBeGreaterThanOrEqual(before + 120_000);
    expect(expires).toBeLessThanOrEqual(Date.now() + 120_000);
  });

  test.skipIf(!isThere)(
    "is adopted once, by one of many requests at once; the others set no cookie",
    async () => {
      const store = await open();
      const { cookie } = await visitOldSite(store);
      const [othersAnswered, others] = [gate(), Array.from({ length: 7 })];
      const site = await startNewSite(store, {
        routes: (app) =>
          app.get("/visit", async (req, res) => {
            // The one that adopted answers last.
            if (req.session.isNew) await othersAnswered.opened;
            res.send(told(req.session));
            others.pop();
            if (others.length === 0) othersAnswered.open();
          }),
      });
      const answers = await Promise.all(Array.from({ length: 8 }, () => ask(`${site.url}/visit`, cookie)));
      for (const answer of answers) expect(answer).toMatchObject({ status: 200, text: "ada: tea" });
      expect(answers.filter(({ cookies }) => cookies.length > 0)).toMatchObject([{ cookies: [ENDED, OURS] }]);
      expect(site.calls.filter((call) => call === "create")).toHaveLength(1);
    },
  );
});

describe("whoever comes with the old cookie again", () => {
  test("within two minutes is nobody, stores nothing, and is sent no cookie", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const site = await startNewSite(store, { routes: visits });
    await ask(site.url, cookie);
    site.calls.length = 0;
    expect(await ask(`${site.url}/visit`, cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
    // Nor where an expired cookie of ours comes with it.
    const stale = `${cookie}; sid=${"0".repeat(32)}.${"A".repeat(43)}`;
    expect(await ask(`${site.url}/visit`, stale)).toMatchObject({ text: "nobody: ", cookies: [] });
    expect(site.calls).toEqual(["load"]);
  });

  test("later is nobody, and the old cookie ends, even where the store still has what was left", async () => {
    const inner = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(inner);
    const texts = new Map([[sid, JSON.stringify(await kept(inner, sid))]]);
    const store: StoreLike = {
      get: (id, done) => done(null, JSON.parse(texts.get(id) ?? "null")),
      set(id, data, done) {
        texts.set(id, JSON.stringify(data));
        done();
      },
      destroy: (_id, done) => done(),
    };
    const site = await startNewSite(store, { routes: visits });
    await ask(site.url, cookie);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 120_000 });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [ENDED] });
    expect((await ask(`${site.url}/visit`, cookie)).cookies).toEqual([ENDED, OURS]);
  });

  test("and with another that is live, which anybody may have planted, is nobody", async () => {
    const store = new session.MemoryStore();
    const [ada, bob] = [await visitOldSite(store), await visitOldSite(store, { userId: "bob" })];
    const site = await startNewSite(store);
    await ask(site.url, ada.cookie);
    expect(await ask(site.url, `${ada.cookie}; ${bob.cookie}`)).toMatchObject({
      text: "nobody: ",
      cookies: [],
    });
  });

  test("beside a valid one of ours ends cookie and session of old, and nothing else", async () => {
    const store = new session.MemoryStore();
    const ada = await visitOldSite(store);
    const bob = await visitOldSite(store, { userId: "bob" });
    const site = await startNewSite(store);
    const ours = cookieOf((await ask(site.url, ada.cookie)).cookies);
    expect(await ask(site.url, `${bob.cookie}; ${ours}`)).toMatchObject({
      text: "ada: tea",
      cookies: [ENDED],
    });
    expect(JSON.stringify(await kept(store, bob.sid))).not.toContain("bob");
    expect(await ask(site.url, bob.cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
  });

  test("beside one of ours that a logout ended a moment ago is adopted by no request in flight", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const site = await startNewSite(store);
    const mine = site.sessions.create();
    const { setCookie = "" } = await mine.commit();
    await mine.logout();
    const both = `${cookieOf([setCookie])}; ${cookie}`;
    expect(await ask(site.url, both)).toMatchObject({ text: "nobody: ", cookies: [] });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "ada: tea" });
  });
});

describe("what is no session of express-session", () => {
  const signed = (cookie: string): string => cookie.slice("connect.sid=".length);

  test.each([
    ["forged", (good: string) => `connect.sid=${good.slice(0, -1)}${good.endsWith("A") ? "B" : "A"}`],
    ["unsigned", () => "connect.sid=s%3Aabc"],
    ["signed over nothing", () => "connect.sid=s%3A.abc"],
    ["signed with nothing", (good: string) => `connect.sid=${good.split(".")[0]}.`],
    ["of another form", (good: string) => `connect.sid=${good.replace("s%3A", "j%3A")}`],
    ["badly escaped", () => "connect.sid=%E0%A4%A"],
    // A subdomain may set it, for a browser sees no prefix there.
    ["behind a space that is none for browsers", (good: string) => `\u00a0connect.sid=${good}`],
    ["of another name", (good: string) => `xconnect.sid=${good}; connect.side=${good}`],
  ])("is ignored, and asks the store nothing: a cookie that is %s", async (_what, make) => {
    const inner = new session.MemoryStore();
    const { cookie } = await visitOldSite(inner);
    const store = watched(inner);
    const site = await startNewSite(store);
    const answer = await ask(site.url, make(signed(cookie)));
    expect(answer).toMatchObject({ status: 200, text: "nobody: ", cookies: [] });
    expect(store.calls).toEqual([]);
  });

  test("does not hide the good one beside it", async () => {
    const store = new session.MemoryStore();
    const { cookie } = await visitOldSite(store);
    const site = await startNewSite(store);
    const crowd = `connect.sid=s%3Aabc.def; connect.sid=%; ${cookie}; connect.sid=x`;
    expect(await ask(site.url, crowd)).toMatchObject({ text: "ada: tea" });
  });

  test("is one that has expired, and its cookie ends", async () => {
    const store = new session.MemoryStore();
    const { cookie, sid } = await visitOldSite(store);
    // A store that still has it: most remove such a one later.
    const expired = {
      ...ADA,
      cookie: { originalMaxAge: 1, expires: new Date(Date.now() - 1).toISOString() },
    };
    const late = {
      ...watched(store),
      get: (_sid: string, done: (e: unknown, s: object) => void) => done(null, expired),
    };
    const site = await startNewSite(late);
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [ENDED] });
    expect(await kept(store, sid)).toMatchObject(ADA);
  });
});

test("the cookie may be signed with an older secret, have another name, and be of another place", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store, ADA, { name: "__Secure-old", secret: "an older one" });
  const place = { path: "/shop", domain: "shop.example" };
  const site = await startNewSite(store, {
    name: "__Secure-old",
    secret: [SECRET, "an older one"],
    cookie: place,
  });
  const { text, cookies } = await ask(site.url, cookie);
  expect(text).toBe("ada: tea");
  expect(cookies[0]).toMatch(/^__Secure-old=; Domain=shop\.example; Path=\/shop; Max-Age=0; .*Secure/);
});

test("the old cookie ends with the attributes without which a frame of another site could not end it", async () => {
  const store = new session.MemoryStore();
  const { cookie } = await visitOldSite(store);
  const site = await startNewSite(store, { cookie: { sameSite: "none", partitioned: true } });
  const [ended] = (await ask(site.url, cookie)).cookies;
  expect(ended).toMatch(/^connect\.sid=;.*Max-Age=0;.*; Secure; SameSite=None; Partitioned$/);
});

test("the new session is one of ours, with a life of its own", async () => {
  const store = new session.MemoryStore();
  const { cookie, sid } = await visitOldSite(store, ADA, { cookie: { maxAge: 60_000 } });
  const site = await startNewSite(store);
  const ours = cookieOf((await ask(site.url, cookie)).cookies);
  const found = await site.sessions.open(ours);
  expect(ours).not.toContain(sid);
  expect(found.expiresAt.getTime() - Date.now()).toBeGreaterThan(23 * 3_600_000);
  expect(await recordsOf(site, ours)).toEqual({ isNew: false, principal: "ada" });
});
