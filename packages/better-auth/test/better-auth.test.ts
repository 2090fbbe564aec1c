import { setImmediate } from "node:timers/promises";
import { createBackend } from "@sessions/adapter-conformance";
import { memoryDriver } from "@sessions/core/memory";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SecondaryStorage, secondaryStorage } from "../src/index.ts";

const secrets = ["the newest key has at least 32 bytes"];
const DAY = 86_400_000;

/** The storage of better-auth's documentation, on a Map: a value for each key, and no more. */
function plainStorage(): SecondaryStorage {
  const values = new Map<string, string>();
  return {
    async get(key) {
      await setImmediate();
      return values.get(key) ?? null;
    },
    async set(key, value) {
      await setImmediate();
      values.set(key, value);
    },
    async delete(key) {
      await setImmediate();
      values.delete(key);
    },
    async getAndDelete(key) {
      const value = values.get(key) ?? null;
      values.delete(key);
      return value;
    },
    async increment(key) {
      const count = Number(values.get(key) ?? 0) + 1;
      values.set(key, String(count));
      return count;
    },
  };
}

const ours = (): SecondaryStorage => secondaryStorage(memoryDriver(), { secrets });

function createAuth(storage: SecondaryStorage, session: { updateAge?: number } = {}) {
  return betterAuth({
    baseURL: "http://localhost:3000",
    secret: "the secret of better-auth has 32 bytes",
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    // The real hash takes a tenth of a second and more.
    emailAndPassword: {
      enabled: true,
      password: {
        hash: async (password) => password,
        verify: async ({ hash, password }) => hash === password,
      },
    },
    secondaryStorage: storage,
    session,
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
}
type Auth = ReturnType<typeof createAuth>;

const ada = { email: "ada@example.com", password: "a long password", name: "Ada" };

const post = (auth: Auth, path: string, body: object, cookie = ""): Promise<Response> =>
  auth.handler(
    new Request(`http://localhost:3000/api/auth${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: "http://localhost:3000", cookie },
      body: JSON.stringify(body),
    }),
  );

const ask = (auth: Auth, path: string, cookie: string): Promise<Response> =>
  auth.handler(new Request(`http://localhost:3000/api/auth${path}`, { headers: { cookie } }));

const cookieOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");

/** What better-auth says of a session. */
interface Found {
  readonly user: { readonly id: string; readonly name: string };
  readonly session: { readonly token: string };
}

const found = async (auth: Auth, cookie: string): Promise<Found | null> =>
  JSON.parse(await (await ask(auth, "/get-session", cookie)).text());

/** Signs in `count` times at once, and returns the cookies. */
const signIns = async (auth: Auth, count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, async () => cookieOf(await post(auth, "/sign-in/email", ada))));

const userOf = async (auth: Auth, cookie: string): Promise<unknown> => (await found(auth, cookie))?.user.name;

const usersOf = (auth: Auth, cookies: readonly string[]): Promise<unknown[]> =>
  Promise.all(cookies.map((cookie) => userOf(auth, cookie)));

const countOf = async (auth: Auth, cookie: string): Promise<number> =>
  JSON.parse(await (await ask(auth, "/list-sessions", cookie)).text()).length;

async function withAda(storage: SecondaryStorage, session?: { updateAge?: number }): Promise<[Auth, string]> {
  const auth = createAuth(storage, session);
  return [auth, cookieOf(await post(auth, "/sign-up/email", ada))];
}

/** A storage whose next reads of a list, `size` of them, wait for each other. */
function meeting(storage: SecondaryStorage): { storage: SecondaryStorage; meet(size: number): void } {
  let missing = 0;
  let open = (): void => {};
  let all: Promise<void> = Promise.resolve();
  return {
    storage: {
      ...storage,
      async get(key) {
        const value = await storage.get(key);
        if (!key.startsWith("active-sessions-")) return value;
        if (--missing === 0) open();
        await all;
        return value;
      },
    },
    meet(size) {
      missing = size;
      all = new Promise((resolve) => {
        open = resolve;
      });
    },
  };
}

describe.each([
  ["ours", ours, false],
  ["a plain one", plainStorage, true],
] as const)("sign-ins that overlap, with %s:", (_, open, loses) => {
  test(`the list of sessions ${loses ? "loses some" : "has all"}, and "revoke other sessions" ends ${loses ? "not all" : "all"}`, async () => {
    const { storage, meet } = meeting(open());
    const [auth, own] = await withAda(storage);
    meet(3);
    const cookies = await signIns(auth, 3);
    expect(await usersOf(auth, cookies)).toEqual(["Ada", "Ada", "Ada"]);
    const count = await countOf(auth, own);
    expect((await post(auth, "/revoke-other-sessions", {}, own)).status).toBe(200);
    const left = (await usersOf(auth, cookies)).filter((user) => user !== undefined);
    expect([count, left.length]).toEqual(loses ? [2, 2] : [4, 0]);
    expect(await userOf(auth, own)).toBe("Ada");
  });
});

test("whatever sign-ins and sign-outs overlap, the list names exactly the sessions that are left", async () => {
  const plan = fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 }), fc.infiniteStream(fc.nat({ max: 3 })));
  await fc.assert(
    fc.asyncProperty(plan, async ([leaving, coming, delays]) => {
      const storage = ours();
      const pause = async (): Promise<void> => {
        for (let turns = delays.next().value; turns > 0; turns--) await setImmediate();
      };
      const slow: SecondaryStorage = {
        ...storage,
        get: (key) => pause().then(() => storage.get(key)),
        set: (key, value, ttl) => pause().then(() => storage.set(key, value, ttl)),
        delete: (key) => pause().then(() => storage.delete(key)),
      };
      const { internalAdapter } = await createAuth(slow).$context;
      const tokens = (sessions: readonly { token: string }[]): string[] =>
        sessions.map(({ token }) => token).sort();
      const signIn = (): Promise<{ token: string }> => internalAdapter.createSession("ada");
      const signIns = (count: number) => Promise.all(Array.from({ length: count }, signIn));
      const before = await signIns(leaving);
      const [after] = await Promise.all([
        signIns(coming),
        ...before.map(({ token }) => internalAdapter.deleteSession(token)),
      ]);
      expect(tokens(await internalAdapter.listSessions("ada"))).toEqual(tokens(after));
    }),
    { numRuns: 40 },
  );
});

/** A storage whose next write of a session waits until `release` is called. */
function held(storage: SecondaryStorage): {
  storage: SecondaryStorage;
  holdNext(token: RegExp): { reached: Promise<void>; release(): void };
} {
  let pattern: RegExp | undefined;
  let reach = (): void => {};
  let wait: Promise<void> = Promise.resolve();
  return {
    storage: {
      ...storage,
      async set(key, value, ttl) {
        if (pattern?.test(key)) {
          pattern = undefined;
          reach();
          await wait;
        }
        return storage.set(key, value, ttl);
      },
    },
    holdNext(token) {
      pattern = token;
      const reached = new Promise<void>((resolve) => {
        reach = resolve;
      });
      let release = (): void => {};
      wait = new Promise((resolve) => {
        release = resolve;
      });
      return { reached, release };
    },
  };
}

describe.each([
  ["ours", ours, undefined],
  ["a plain one", plainStorage, "Ada"],
] as const)("a refresh that overlaps a revocation, with %s:", (_, open, user) => {
  test(`the session is ${user ? "back" : "gone"}`, async () => {
    // Every request refreshes the session.
    const { storage, holdNext } = held(open());
    const [auth, own] = await withAda(storage, { updateAge: 0 });
    const [copy = ""] = await signIns(auth, 1);
    const { reached, release } = holdNext(/^\w{32}$/);
    const refreshing = ask(auth, "/get-session", copy);
    await reached;
    await post(auth, "/sign-out", {}, copy);
    release();
    await refreshing;
    expect([await userOf(auth, copy), await userOf(auth, own)]).toEqual([user, "Ada"]);
  });
});

test("a list that is lost takes no session out of reach: there is none to lose", async () => {
  const storage = ours();
  const [auth, own] = await withAda(storage);
  const cookies = await signIns(auth, 2);
  await storage.delete(`active-sessions-${(await found(auth, own))?.user.id}`);
  expect(await countOf(auth, own)).toBe(3);
  expect((await post(auth, "/revoke-sessions", {}, own)).status).toBe(200);
  expect(await usersOf(auth, [own, ...cookies])).toEqual([undefined, undefined, undefined]);
});

test("a copied cookie is dead after sign-out", async () => {
  const [auth, cookie] = await withAda(ours());
  expect(await userOf(auth, cookie)).toBe("Ada");
  expect((await post(auth, "/sign-out", {}, cookie)).status).toBe(200);
  expect(await userOf(auth, cookie)).toBeUndefined();
});

test("down is a 500 for /get-session, and not a visitor who is logged out; the session is there afterwards", async () => {
  const { driver, down } = createBackend();
  const [auth, cookie] = await withAda(secondaryStorage(driver, { secrets }));
  down.add("load");
  const response = await ask(auth, "/get-session", cookie);
  expect([response.status, response.headers.getSetCookie()]).toEqual([500, []]);
  down.clear();
  expect(await userOf(auth, cookie)).toBe("Ada");
});

test("better-auth responds with 401, and not 500, where an endpoint that needs a session meets a backend that is down", async () => {
  const { driver, down } = createBackend();
  const [auth, cookie] = await withAda(secondaryStorage(driver, { secrets }));
  down.add("load");
  const response = await ask(auth, "/list-sessions", cookie);
  expect([response.status, response.headers.getSetCookie()]).toEqual([401, []]);
  down.clear();
  expect(await userOf(auth, cookie)).toBe("Ada");
});

test("two updates of one session that overlap keep the later one alone: better-auth writes whole sessions", async () => {
  const { storage, holdNext } = held(ours());
  const [auth, cookie] = await withAda(storage);
  const { internalAdapter } = await auth.$context;
  const token = (await found(auth, cookie))?.session.token ?? "";
  const { reached, release } = holdNext(/^\w{32}$/);
  const slow = internalAdapter.updateSession(token, { userAgent: "slow" });
  await reached;
  await internalAdapter.updateSession(token, { expiresAt: new Date(Date.now() + 30 * DAY) });
  release();
  await slow;
  const kept = await internalAdapter.findSession(token);
  expect(kept?.session.userAgent).toBe("slow");
  expect(kept?.session.expiresAt.getTime()).toBeLessThan(Date.now() + 8 * DAY);
});
