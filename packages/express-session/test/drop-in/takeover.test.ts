import { memoryDriver } from "@sessions/core/memory";
import express, { type Express } from "express";
import expressSession from "express-session";
import { describe, expect, test } from "vitest";
import { expressSessionStore, type SessionOptions } from "../../src/index.ts";
import { HOUR } from "../support.ts";
import { appOn, secret, serve, set, show, watched } from "./support.ts";

/** A site before and after: express-session on a store, and processes with the drop-in that take over from it. */
async function site(processes = 1, way: "from" | "adopt" = "from") {
  const store = new expressSession.MemoryStore();
  const { driver, calls, down } = watched(memoryDriver());
  const before = express();
  before.use(
    expressSession({
      secret: "old",
      resave: false,
      saveUninitialized: false,
      store,
      cookie: { maxAge: HOUR },
    }),
  );
  const principal: SessionOptions["principal"] = ({ user }) => user;
  const adopt = store as never;
  const options = (): SessionOptions =>
    way === "from"
      ? { from: adopt, principal }
      : {
          driver: undefined,
          store: expressSessionStore(driver, { Store: expressSession.Store, adopt, principal }),
        };
  const after = Array.from({ length: processes }, () =>
    appOn(driver, { secret: [secret, "old"], ...options() }),
  );
  const urls = await Promise.all(
    [before, ...after.map(({ app }) => app)].map((app: Express) => serve(app, routes)),
  );
  return {
    ...{ store, calls, down, sessions: after[0]?.sessions },
    async ask(at: number, path: string, cookie = "") {
      const response = await fetch(`${urls[at]}${path}`, { headers: { cookie } });
      const [setCookie = ""] = response.headers.getSetCookie();
      return { status: response.status, body: await response.text(), cookie: setCookie.split(";", 1)[0] };
    },
  };
}

const routes = {
  "/set": set,
  "/show": show,
  "/logout": (req, res) => void req.session.destroy(() => res.end()),
  "/store/user/:sid": (req, res) =>
    void req.sessionStore.get(req.params["sid"] as string, (_, found) =>
      res.json(Reflect.get(Object(found), "user")),
    ),
  "/store/destroy/:sid": (req, res) =>
    void req.sessionStore.destroy(req.params["sid"] as string, () => res.end()),
  "/store/set/:sid": (req, res) =>
    void req.sessionStore.set(req.params["sid"] as string, Object.assign(req.session, req.query), () =>
      res.end(),
    ),
} satisfies Record<string, express.RequestHandler>;

test("a session of the old store goes on under its cookie, also where the secret has changed", async () => {
  const { ask, store, sessions } = await site();
  const { cookie } = await ask(0, "/set?user=anna");
  expect(Object.keys(store["sessions" as never])).toHaveLength(1);
  expect(await ask(1, "/show", cookie)).toMatchObject({ body: '{"user":"anna"}' });
  expect(Object.keys(store["sessions" as never])).toHaveLength(0);
  await ask(1, "/set?lang=de", cookie);
  expect(JSON.parse((await ask(1, "/show", cookie)).body)).toEqual({ user: "anna", lang: "de" });
  expect(await sessions?.destroyAll({ principal: "anna" })).toBe(1);
  expect((await ask(1, "/show", cookie)).body).toBe("{}");
});

test("of processes that take it over at once one does, and no write is lost", async () => {
  const { ask, calls } = await site(3);
  const { cookie } = await ask(0, "/set?user=anna");
  await Promise.all([1, 2, 3].map((at) => ask(at, `/set?key${at}=1`, cookie)));
  expect(JSON.parse((await ask(1, "/show", cookie)).body)).toEqual({
    user: "anna",
    key1: "1",
    key2: "1",
    key3: "1",
  });
  expect(calls).toContain("create");
});

test("a logout ends both, and what an old process writes after it is not taken over", async () => {
  const { ask, store } = await site();
  const { cookie } = await ask(0, "/set?user=anna");
  const [[sid = "", blob = ""] = []] = Object.entries(store["sessions" as never] as Record<string, string>);
  await ask(1, "/show", cookie);
  await ask(1, "/logout", cookie);
  Reflect.set(store["sessions" as never], sid, blob);
  expect((await ask(1, "/show", cookie)).body).toBe("{}");
  const begun = await ask(1, "/set?csrf=1", cookie);
  expect((await ask(1, "/show", begun.cookie)).body).toBe('{"csrf":"1"}');
});

test("an old store that is down is an error, and logs nobody out", async () => {
  const { ask, store } = await site();
  const { cookie } = await ask(0, "/set?user=anna");
  const { get } = store;
  store.get = (_sid, callback) => callback(new Error("away"));
  expect(await ask(1, "/show", cookie)).toMatchObject({ status: 500, cookie: "" });
  store.get = get;
  expect((await ask(1, "/show", cookie)).body).toBe('{"user":"anna"}');
});

test("destroyAll() also ends the user's sessions that still wait in the old store, and no others", async () => {
  const { ask, sessions, store } = await site();
  const [waits, moved, other] = [
    await ask(0, "/set?user=anna"),
    await ask(0, "/set?user=anna"),
    await ask(0, "/set?user=bob"),
  ];
  await ask(1, "/show", moved.cookie);
  expect(await sessions?.destroyAll({ principal: "anna" })).toBe(1);
  expect((await ask(1, "/show", waits.cookie)).body).toBe("{}");
  expect((await ask(1, "/show", moved.cookie)).body).toBe("{}");
  expect((await ask(1, "/show", other.cookie)).body).toBe('{"user":"bob"}');
  expect(Object.keys(store["sessions" as never])).toEqual([]);
  // She logs in again.
  const again = await ask(1, "/set?user=anna");
  expect((await ask(1, "/show", again.cookie)).body).toBe('{"user":"anna"}');
});

describe.each(["from", "adopt"] as const)("req.sessionStore of a site that moves by `%s`", (way) => {
  const idOf = (cookie = ""): string => decodeURIComponent(cookie).replace(/^connect\.sid=s:|\.[^.]*$/g, "");

  test("reads a session that waits in the old store, and ends it in both", async () => {
    const { ask } = await site(1, way);
    const { cookie } = await ask(0, "/set?user=anna");
    expect((await ask(1, `/store/user/${idOf(cookie)}`)).body).toBe('"anna"');
    await ask(1, `/store/destroy/${idOf(cookie)}`);
    expect((await ask(1, "/show", cookie)).body).toBe("{}");
  });

  test.each([true, false])("what it has ended is not taken over; it was before: %s", async (before) => {
    const { ask, store } = await site(1, way);
    const { cookie } = await ask(0, "/set?user=anna");
    const [[sid = "", blob = ""] = []] = Object.entries(store["sessions" as never] as Record<string, string>);
    if (before) await ask(1, "/show", cookie);
    await ask(1, `/store/destroy/${sid}`);
    // A slow request of an old process writes it.
    Reflect.set(store["sessions" as never], sid, blob);
    expect((await ask(1, "/show", cookie)).body).toBe("{}");
  });

  test("what it stores is under its user", async () => {
    const { ask, sessions } = await site(1, way);
    await ask(1, "/store/set/apple?user=anna");
    expect((await ask(1, "/store/user/apple")).body).toBe('"anna"');
    await sessions?.destroyAll({ principal: "anna" });
    expect((await ask(1, "/store/user/apple")).body).toBe("");
  });

  test("of it and the middleware in two processes one takes a session over, and its visitor stays logged in", async () => {
    for (let round = 0; round < 10; round++) {
      const { ask } = await site(2, way);
      const { cookie } = await ask(0, "/set?user=anna");
      const [shown] = await Promise.all([ask(1, "/show", cookie), ask(2, `/store/user/${idOf(cookie)}`)]);
      expect(shown.body).toBe('{"user":"anna"}');
      expect((await ask(2, "/show", cookie)).body).toBe('{"user":"anna"}');
    }
  });
});

test("destroyAll() for everyone ends what waits in the old store too", async () => {
  const { ask, sessions } = await site();
  const waits = await ask(0, "/set?user=anna");
  await sessions?.destroyAll({ everyone: true });
  expect((await ask(1, "/show", waits.cookie)).body).toBe("{}");
});

test("a takeover that overlaps with destroyAll() leaves no session", async () => {
  for (let round = 0; round < 20; round++) {
    const { ask, sessions } = await site(2);
    const { cookie } = await ask(0, "/set?user=anna");
    await Promise.all([
      ask(1, "/show", cookie),
      ask(2, "/show", cookie),
      new Promise((resolve) => setTimeout(resolve, round % 4)).then(() =>
        sessions?.destroyAll({ principal: "anna" }),
      ),
    ]);
    expect((await ask(1, "/show", cookie)).body).toBe("{}");
  }
});

test("destroyAll() ends sessions that only express-session has written, by the bridge's store", async () => {
  const driver = memoryDriver();
  const { sessions } = appOn(driver);
  const store = expressSessionStore(driver, { Store: expressSession.Store });
  const cookie = { originalMaxAge: HOUR, expires: new Date(Date.now() + HOUR) };
  const data = { cookie, passport: { user: 7 } };
  await new Promise<void>((resolve) => store.set("sid", data as never, () => resolve()));
  expect(await store.exists("sid")).toBe(true);
  expect(await sessions.destroyAll({ principal: "7" })).toBe(1);
  expect(await store.exists("sid")).toBe(false);
});
