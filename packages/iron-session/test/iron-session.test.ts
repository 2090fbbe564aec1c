import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createBackend } from "@sessions/adapter-conformance";
import { createSessionManager, isSessionError, type SessionManager } from "@sessions/core";
import fc from "fast-check";
import type { IronSession as TheirSession } from "iron-session";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { getIronSession, type IronSession, type SessionOptions, sessionOf } from "../src/index.ts";
import { byCookies, byFetch, byIronSession, byNode, type Data, nextCookies, type Visit } from "./visits.ts";

const cookieOf = (lines: readonly string[]): string => lines.at(-1)?.split(";", 1)[0] ?? "";

/** The data that a request with this cookie sees. */
async function dataOf<S extends object>(visit: Visit<S>, cookie: string): Promise<object> {
  let data = {};
  await visit(cookie, async (open) => {
    data = { ...(await open()) };
  });
  return data;
}

/** Saves data in one request, and returns the cookie. */
const save = async (visit: Visit, data: Partial<Data>, cookie = ""): Promise<string> =>
  cookieOf(
    await visit(cookie, async (open) => {
      const session = await open();
      Object.assign(session, data);
      await session.save();
    }),
  ) || cookie;

test("has the shape of iron-session's session, but destroy() must be awaited", () => {
  expectTypeOf<Omit<IronSession<Data>, "destroy" | "updateConfig">>().toEqualTypeOf<
    Omit<TheirSession<Data>, "destroy" | "updateConfig">
  >();
  expectTypeOf<IronSession<Data>["destroy"]>().returns.toEqualTypeOf<Promise<void>>();
});

describe.each([
  ["cookies() of Next.js", byCookies],
  ["Request and Response", byFetch],
  ["Node's request and response", byNode],
] as const)("by %s,", (_, visitWith) => {
  const open = (options: Partial<SessionOptions<Data>> = {}) => {
    const sessions = createSessionManager();
    return { sessions, visit: visitWith({ sessions, ...options }) };
  };

  test("a session is empty at first, and nothing is stored or sent until save()", async () => {
    const { visit } = open();
    const lines = await visit("", async (getSession) => {
      const session = await getSession();
      expect({ ...session }).toEqual({});
      expect(JSON.stringify(session)).toBe("{}");
      session.userId = "ada";
    });
    expect(lines).toEqual([]);
  });

  test("save() stores what was set, replaced, changed in place and deleted", async () => {
    const { visit } = open();
    const cookie = await save(visit, { userId: "ada", items: ["tea"], count: 1 });
    const lines = await visit(cookie, async (getSession) => {
      const session = await getSession();
      session.userId = "bob";
      session.items?.push("milk");
      delete session.count;
      await session.save();
      session.items?.push("bread");
      await session.save();
    });
    expect(lines).toEqual([]);
    expect(await dataOf(visit, cookie)).toEqual({ userId: "bob", items: ["tea", "milk", "bread"] });
  });

  test("the cookie of a save is there once, and opens the session in the same request", async () => {
    const { visit } = open();
    const lines = await visit("", async (getSession) => {
      const session = await getSession();
      session.count = 1;
      await session.save();
      session.count = 2;
      await session.save();
    });
    expect(lines).toHaveLength(1);
    expect(await dataOf(visit, cookieOf(lines))).toEqual({ count: 2 });
  });

  test("a copied cookie is dead after destroy(), the cookie is cleared, and the object is empty", async () => {
    const { visit } = open();
    const cookie = await save(visit, { userId: "ada" });
    const lines = await visit(cookie, async (getSession) => {
      const session = await getSession();
      await session.destroy();
      expect({ ...session }).toEqual({});
      await session.save();
    });
    expect(lines).toEqual([expect.stringMatching(/^sid=(;|$)/)]);
    expect(await dataOf(visit, cookie)).toEqual({});
  });

  test("a save() after a destroy() that was not awaited waits for it", async () => {
    const { visit } = open();
    const cookie = await save(visit, { userId: "ada" });
    await visit(cookie, async (getSession) => {
      const session = await getSession();
      let isOver = false;
      const destroyed = session.destroy().then(() => {
        isOver = true;
      });
      await session.save();
      expect(isOver).toBe(true);
      await destroyed;
    });
  });

  test("a session is not saved again after destroy()", async () => {
    const { visit } = open();
    const cookie = await save(visit, { userId: "ada" });
    await visit(cookie, async (getSession) => {
      const session = await getSession();
      await session.destroy();
      session.userId = "ada";
      await expect(session.save()).rejects.toThrow(/after destroy/);
    });
    expect(await dataOf(visit, cookie)).toEqual({});
  });

  test("two overlapping requests that write different keys lose nothing", async () => {
    const { visit } = open();
    const cookie = await save(visit, { items: ["tea"] });
    await visit(cookie, async (getSession) => {
      const [one, two] = [await getSession(), await getSession()];
      one.userId = "ada";
      two.count = 1;
      await Promise.all([one.save(), two.save()]);
    });
    expect(await dataOf(visit, cookie)).toEqual({ items: ["tea"], userId: "ada", count: 1 });
  });

  test("a request that saves after another one has ended the session brings nothing back, and sends no cookie", async () => {
    const { visit } = open();
    const cookie = await save(visit, { userId: "ada" });
    const lines = await visit(cookie, async (getSession) => {
      const late = await getSession();
      await visit(cookie, async (other) => (await other()).destroy());
      late.count = 1;
      await late.save();
    });
    expect(lines).toEqual([]);
    expect(await dataOf(visit, cookie)).toEqual({});
  });

  test("a principal logs in: a new id, the old cookie is dead, and destroyAll() reaches the session", async () => {
    const { sessions, visit } = open({ principal: ({ userId }) => userId });
    const planted = await save(visit, { items: ["tea"] });
    const ada = await save(visit, { userId: "ada" }, planted);
    expect(await dataOf(visit, planted)).toEqual({});
    expect(await dataOf(visit, ada)).toEqual({ items: ["tea"], userId: "ada" });
    const bob = await save(visit, { userId: "bob" }, ada);
    expect(await dataOf(visit, ada)).toEqual({});
    expect(await dataOf(visit, bob)).toEqual({ items: ["tea"], userId: "bob" });
    expect(await sessions.destroyAll({ principal: "bob" })).toBe(1);
    expect(await dataOf(visit, bob)).toEqual({});
  });

  test("down is an error, and not a visitor who is logged out", async () => {
    const { driver, down } = createBackend();
    const visit = visitWith({ sessions: createSessionManager({ driver }) });
    const isDown = (error: unknown): boolean => isSessionError(error, "ERR_SESSION_UNAVAILABLE");
    const cookie = await save(visit, { userId: "ada" });
    down.add("load");
    await expect(dataOf(visit, cookie)).rejects.toSatisfy(isDown);
    down.clear();
    const lines = await visit(cookie, async (getSession) => {
      const [one, two] = [await getSession(), await getSession()];
      down.add("commit");
      one.userId = "bob";
      await expect(one.save()).rejects.toSatisfy(isDown);
      await expect(two.destroy()).rejects.toSatisfy(isDown);
    });
    expect(lines).toEqual([]);
    down.clear();
    expect(await dataOf(visit, cookie)).toEqual({ userId: "ada" });
  });
});

describe("iron-session itself, whose cookie holds the data,", () => {
  test("lets a copied cookie in after destroy()", async () => {
    const lines = await byIronSession("", async (open) => {
      const session = await open();
      session.userId = "ada";
      await session.save();
    });
    const cookie = cookieOf(lines);
    await byIronSession(cookie, async (open) => (await open()).destroy());
    expect(await dataOf(byIronSession, cookie)).toEqual({ userId: "ada" });
  });

  test("loses a key of two overlapping requests that write different ones", async () => {
    const cookies = await Promise.all(
      (["userId", "items"] as const).map((key) =>
        byIronSession("", async (open) => {
          const session = await open();
          Object.assign(session, { [key]: key });
          await session.save();
        }),
      ),
    );
    // A browser keeps the cookie that comes last.
    expect(await dataOf(byIronSession, cookieOf(cookies.flat()))).toEqual({ items: "items" });
  });
});

test("save() stores what is there when it is called, and destroy() empties the object at once and waits for it", async () => {
  const visit = byCookies({ sessions: createSessionManager() });
  const lines = await visit("", async (open) => {
    const session = await open();
    session.count = 1;
    const saved = session.save();
    session.count = 2;
    await saved;
  });
  expect(await dataOf(visit, cookieOf(lines))).toEqual({ count: 1 });
  await visit(cookieOf(lines), async (open) => {
    const session = await open();
    session.count = 3;
    const all = [session.save(), session.destroy()];
    expect({ ...session }).toEqual({});
    await Promise.all(all);
  });
  expect(await dataOf(visit, cookieOf(lines))).toEqual({});
});

test("a save that failed can be tried again, and stores all of it then", async () => {
  const { driver, down } = createBackend();
  const visit = byCookies({ sessions: createSessionManager({ driver }) });
  const cookie = await save(visit, { userId: "ada", items: ["tea"], count: 1 });
  await visit(cookie, async (open) => {
    const session = await open();
    session.userId = "bob";
    session.items?.push("milk");
    delete session.count;
    down.add("commit");
    await expect(session.save()).rejects.toThrow(/down/);
    down.clear();
    await session.save();
  });
  expect(await dataOf(visit, cookie)).toEqual({ userId: "bob", items: ["tea", "milk"] });
});

test("a user may be named while another save of the same object is under way", async () => {
  const backend = createBackend();
  const visit = byCookies({
    sessions: createSessionManager({ driver: backend.driver }),
    principal: ({ userId }) => userId,
  });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  backend.beforeWrite = () => held;
  const lines = await visit("", async (open) => {
    const session = await open();
    session.count = 1;
    const saves = [session.save()];
    await Promise.resolve();
    session.userId = "ada";
    saves.push(session.save());
    release();
    await Promise.all(saves);
  });
  await visit(cookieOf(lines), async (open) => {
    const session = await open();
    expect([sessionOf(session).principal, { ...session }]).toEqual(["ada", { count: 1, userId: "ada" }]);
  });
});

test("any requests that overlap and write or delete keys of their own lose nothing, in whatever order they save", async () => {
  const key = fc
    .string({ minLength: 1, maxLength: 20, unit: "grapheme" })
    .filter((text) => !(text in Object.prototype));
  const run = fc.tuple(
    fc.uniqueArray(key, { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 1, max: 5 }),
    fc.infiniteStream(fc.nat()),
  );
  await fc.assert(
    fc.asyncProperty(run, async ([keys, size, numbers]) => {
      const options = { sessions: createSessionManager() };
      const { store, set } = nextCookies("");
      const open = () => getIronSession<Record<string, number>>(store, options);
      const first = await open();
      for (const [index, name] of keys.entries()) if (index % 2) Object.assign(first, { [name]: -1 });
      Object.assign(first, { "the first": 0 });
      await first.save();
      expect(set.size).toBe(1);
      const sessions = await Promise.all(Array.from({ length: size }, open));
      const expected: Record<string, number> = { "the first": 0 };
      for (const [index, name] of keys.entries()) {
        const session = sessions[index % size] ?? {};
        const value = numbers.next().value;
        if (value % 3 === 0) Reflect.deleteProperty(session, name);
        else {
          Object.assign(session, { [name]: value });
          expected[name] = value;
        }
      }
      const shuffled = sessions.map((session) => ({ session, at: numbers.next().value }));
      shuffled.sort((a, b) => a.at - b.at);
      await Promise.all(shuffled.map(({ session }) => session.save()));
      expect({ ...(await open()) }).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

test("a request that saves twice keeps what another one saved meanwhile, also where it had to read again", async () => {
  // So small that a save must be sure of the session's size, and reads it again after another one's save.
  const visit = byCookies({ sessions: createSessionManager({ maxBytes: 4000 }) });
  const cookie = await save(visit, { userId: "ada" });
  await visit(cookie, async (open) => {
    const session = await open();
    await save(visit, { userId: "bob", count: 1 }, cookie);
    session.items = ["x".repeat(1000)];
    await session.save();
    session.items = [];
    await session.save();
  });
  expect(await dataOf(visit, cookie)).toEqual({ userId: "bob", count: 1, items: [] });
});

describe("time", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const pass = (seconds: number): void => {
    vi.setSystemTime(Date.now() + seconds * 1000);
  };

  test("a request that only reads keeps the session alive", async () => {
    const sessions = createSessionManager({ idle: "1h" });
    const visit = byCookies({ sessions });
    const cookie = await save(visit, { userId: "ada" });
    for (let hour = 0; hour < 3; hour++) {
      pass(3000);
      expect(await dataOf(visit, cookie)).toEqual({ userId: "ada" });
    }
  });

  test("ttl ends the session after its last save, however much it is read; updateConfig() changes it", async () => {
    const sessions = createSessionManager({ idle: "1h" });
    const visit = byCookies({ sessions, ttl: 100 });
    const cookie = await save(visit, { userId: "ada" });
    pass(90);
    await visit(cookie, async (open) => {
      const session = await open();
      session.updateConfig({ sessions, ttl: 500 });
      await session.save();
    });
    pass(450);
    expect(await dataOf(visit, cookie)).toEqual({ userId: "ada" });
    pass(60);
    expect(await dataOf(visit, cookie)).toEqual({});
  });
});

describe("a response of Node", () => {
  test("whose headers are out: a session that is there is saved, and a new one is refused", async () => {
    const sessions = createSessionManager();
    const cookie = await save(byCookies({ sessions }), { userId: "ada" });
    const codes: unknown[] = [];
    const server = createServer(async (req, res) => {
      const session = await getIronSession<Data>(req, res, { sessions });
      res.flushHeaders();
      session.count = 1;
      codes.push(await session.save().catch((error: unknown) => isSessionError(error) && error.code));
      res.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    for (const header of ["", cookie])
      await (await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie: header } })).text();
    server.close();
    server.closeAllConnections();
    expect(codes).toEqual(["ERR_SESSION_HEADERS_SENT", undefined]);
    expect(await dataOf(byCookies({ sessions }), cookie)).toEqual({ userId: "ada", count: 1 });
  });
});

test("the response varies by the cookie; with ours it keeps other cookies, and is kept from shared caches", async () => {
  const headers = new Headers({ "Set-Cookie": "theme=dark", "Cache-Control": "public, max-age=60" });
  const session = await getIronSession<Data>(new Request("http://localhost/"), headers, {
    sessions: createSessionManager(),
  });
  expect(Object.fromEntries(headers)).toMatchObject({
    vary: "Cookie",
    "cache-control": "public, max-age=60",
  });
  session.count = 1;
  await session.save();
  expect(headers.getSetCookie()).toEqual(["theme=dark", expect.stringMatching(/^sid=\w/)]);
  expect(headers.get("Cache-Control")).toBe("private, no-store");
});

test("a page that Next.js renders can read, and can save to a session that is there; a new one fails", async () => {
  const sessions = createSessionManager();
  const cookie = await save(byCookies({ sessions }), { userId: "ada" });
  /** What `await cookies()` is while a page is rendered. */
  const rendering = (header: string) => ({
    get: nextCookies(header).store.get,
    set: () => {
      throw new Error("Cookies can only be modified in a Server Action or Route Handler");
    },
  });
  const session = await getIronSession<Data>(rendering(cookie), { sessions });
  session.count = 1;
  await session.save();
  expect(await dataOf(byCookies({ sessions }), cookie)).toEqual({ userId: "ada", count: 1 });
  const fresh = await getIronSession<Data>(rendering(""), { sessions });
  fresh.count = 1;
  await expect(fresh.save()).rejects.toThrow(/Server Action/);
});

test("a request of another site that came without its cookie begins no session", async () => {
  const headers = new Headers();
  const request = new Request("http://localhost/", {
    method: "POST",
    headers: { "Sec-Fetch-Site": "cross-site" },
  });
  const session = await getIronSession<Data>(request, headers, { sessions: createSessionManager() });
  session.count = 1;
  await session.save();
  expect(headers.getSetCookie()).toEqual([]);
});

test("two stores of one manager share the session, and not their keys", async () => {
  const sessions = createSessionManager();
  const cookie = await save(byCookies({ sessions, store: "flow" }), { count: 1 });
  await save(byCookies({ sessions }), { userId: "ada" }, cookie);
  expect(await dataOf(byCookies({ sessions, store: "flow" }), cookie)).toEqual({ count: 1 });
  expect(await dataOf(byCookies({ sessions }), cookie)).toEqual({ userId: "ada" });
});

test("sessionOf() is the session behind it, with the same commit", async () => {
  const visit = byCookies({ sessions: createSessionManager() });
  const lines = await visit("", async (open) => {
    const session = await open();
    sessionOf(session).login("ada");
    await session.save();
  });
  await visit(cookieOf(lines), async (open) => {
    expect(sessionOf(await open()).principal).toBe("ada");
  });
  expect(() => sessionOf({})).toThrow(TypeError);
});

describe("misuse is refused:", () => {
  const open = (...args: unknown[]): Promise<unknown> => Reflect.apply(getIronSession, undefined, args);
  const sessions: SessionManager = createSessionManager();
  const { store } = nextCookies("");

  test.each([
    ["options of iron-session", { sessions, password: "p", cookieName: "c" }, /unknown option "password"/],
    ["no manager", {}, /not a session manager/],
    ["a ttl of 0", { sessions, ttl: 0 }, /ttl must be/],
    ["a bad store", { sessions, store: "a/b" }, TypeError],
  ])("%s", async (_, options, message) => {
    await expect(open(store, options)).rejects.toThrow(message);
  });

  test("a request of Node with a response of the Fetch API", async () => {
    await expect(open({ socket: {}, headers: {} }, new Response(), { sessions })).rejects.toThrow(/both/);
  });

  test("another manager for updateConfig()", async () => {
    const session = await getIronSession(store, { sessions });
    expect(() => session.updateConfig({ sessions: createSessionManager() })).toThrow(/must be those/);
  });
});
