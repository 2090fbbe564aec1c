import { createBackend } from "@sessions/adapter-conformance";
import { createSessionManager, isSessionError } from "@sessions/core";
import fc from "fast-check";
import { createMemorySessionStorage, createSession, isSession, type SessionStorage } from "react-router";
import type { SessionStorage as SessionStorage8 } from "react-router-8";
import { describe, expect, expectTypeOf, test } from "vitest";
import { createSessionStorage, sessionOf } from "../src/index.ts";

interface Data {
  userId: string;
  items: string[];
}
interface Flash {
  error: string;
}

const theirs = () => createMemorySessionStorage<Data, Flash>({ cookie: { name: "sid", secrets: ["s"] } });
const ours = () => createSessionStorage<Data, Flash>(createSessionManager());

/** Returns what a browser sends after a response with this Set-Cookie header. */
const pair = (setCookie: string): string => setCookie.split(";", 1)[0] ?? "";

test("is a SessionStorage of React Router 7 and 8", () => {
  expectTypeOf(ours()).toExtend<SessionStorage<Data, Flash>>();
  expectTypeOf(ours()).toExtend<SessionStorage8<Data, Flash>>();
  expectTypeOf(createSessionStorage(createSessionManager())).toExtend<SessionStorage>();
});

describe.each([
  ["React Router's", theirs],
  ["our", ours],
])("a session of %s storage", (_, open) => {
  test("has, gets, sets, unsets and shows its data, and has no id before it is stored", async () => {
    const { getSession, commitSession } = open();
    const session = await getSession();
    expect(isSession(session)).toBe(true);
    expect([session.id, session.data, session.has("userId"), session.get("userId")]).toEqual([
      "",
      {},
      false,
      undefined,
    ]);
    session.set("userId", "ada");
    session.set("items", ["tea"]);
    session.unset("items");
    session.unset("items");
    expect([session.data, session.has("userId"), session.has("items")]).toEqual([
      { userId: "ada" },
      true,
      false,
    ]);

    const again = await getSession(pair(await commitSession(session)));
    expect([again.id === "", again.get("userId"), again.data]).toEqual([false, "ada", { userId: "ada" }]);
  });

  test("shows a message once, and it is gone after the commit", async () => {
    const { getSession, commitSession } = open();
    const session = await getSession();
    session.flash("error", "Wrong password");
    expect(session.data).toEqual({ __flash_error__: "Wrong password" });
    const cookie = pair(await commitSession(session));

    const reader = await getSession(cookie);
    expect([reader.has("error"), reader.get("error"), reader.has("error")]).toEqual([
      true,
      "Wrong password",
      false,
    ]);
    expect(reader.get("error")).toBeUndefined();
    await commitSession(reader);
    expect((await getSession(cookie)).has("error")).toBe(false);
  });

  test("keeps what was mutated in place", async () => {
    const { getSession, commitSession } = open();
    const session = await getSession();
    session.set("items", ["tea"]);
    const cookie = pair(await commitSession(session));
    const again = await getSession(cookie);
    again.get("items")?.push("milk");
    await commitSession(again);
    expect((await getSession(cookie)).get("items")).toEqual(["tea", "milk"]);
  });

  test("that is destroyed clears the cookie, and a copy of the cookie is dead", async () => {
    const { getSession, commitSession, destroySession } = open();
    const session = await getSession();
    session.set("userId", "ada");
    const cookie = pair(await commitSession(session));
    expect(await destroySession(await getSession(cookie))).toMatch(
      /^sid=; .*(Max-Age=0|Expires=Thu, 01 Jan 1970)/,
    );
    expect((await getSession(cookie)).data).toEqual({});
  });
});

describe.each([
  ["React Router's", theirs, true],
  ["our", ours, false],
] as const)("requests that overlap, with %s storage:", (_, open, loses) => {
  async function overlapping() {
    const storage = open();
    const session = await storage.getSession();
    session.set("items", ["tea"]);
    const cookie = pair(await storage.commitSession(session));
    return { storage, cookie, one: await storage.getSession(cookie), two: await storage.getSession(cookie) };
  }

  test(`two that write different keys lose ${loses ? "one of them" : "nothing"}`, async () => {
    const { storage, cookie, one, two } = await overlapping();
    one.set("userId", "ada");
    two.set("items", ["tea", "milk"]);
    await Promise.all([storage.commitSession(one), storage.commitSession(two)]);
    const { data } = await storage.getSession(cookie);
    expect(data).toEqual(loses ? { items: ["tea", "milk"] } : { userId: "ada", items: ["tea", "milk"] });
  });

  test(`one that only reads a message ${loses ? "undoes" : "keeps"} what another one writes`, async () => {
    const { storage, cookie, one, two } = await overlapping();
    one.get("error");
    two.set("userId", "ada");
    await storage.commitSession(two);
    await storage.commitSession(one);
    expect((await storage.getSession(cookie)).get("userId")).toBe(loses ? undefined : "ada");
  });

  test(`one that commits after a logout ${loses ? "brings the session back" : "brings nothing back, and sends no cookie"}`, async () => {
    const { storage, cookie, one, two } = await overlapping();
    two.set("userId", "ada");
    await storage.destroySession(one);
    const setCookie = await storage.commitSession(two);
    const { data } = await storage.getSession(cookie);
    if (loses) expect(data).toEqual({ userId: "ada", items: ["tea"] });
    else expect([setCookie, data]).toEqual(["", {}]);
  });
});

test("any requests that overlap and write keys of their own lose none of them, in whatever order they commit", async () => {
  const requests = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }), {
    minLength: 1,
    maxLength: 12,
  });
  const run = fc.tuple(requests, fc.integer({ min: 1, max: 5 }), fc.infiniteStream(fc.nat()));
  await fc.assert(
    fc.asyncProperty(run, async ([keys, size, order]) => {
      const { getSession, commitSession } = createSessionStorage<Record<string, number>>(
        createSessionManager(),
      );
      const first = await getSession();
      first.set("first", -1);
      const cookie = pair(await commitSession(first));
      const overlapping = await Promise.all(Array.from({ length: size }, () => getSession(cookie)));
      for (const [index, key] of keys.entries()) overlapping[index % size]?.set(key, index);
      const shuffled = overlapping.map((session) => ({ session, at: order.next().value }));
      shuffled.sort((a, b) => a.at - b.at);
      await Promise.all(shuffled.map(({ session }) => commitSession(session)));
      const { data } = await getSession(cookie);
      for (const [index, key] of keys.entries()) expect(data[key]).toBe(index);
    }),
    { numRuns: 50 },
  );
});

describe("the Set-Cookie header of a commit", () => {
  test("is empty where the browser's cookie is right, or where nothing was written", async () => {
    const { getSession, commitSession } = ours();
    const session = await getSession();
    expect(await commitSession(session)).toBe("");
    session.set("userId", "ada");
    const cookie = pair(await commitSession(session));
    const again = await getSession(cookie);
    again.set("userId", "bob");
    expect(await commitSession(again)).toBe("");
    expect((await getSession(cookie)).get("userId")).toBe("bob");
  });

  test.each([
    ["maxAge", () => ({ maxAge: 10 })],
    ["expires", () => ({ expires: new Date(Date.now() + 10_000) })],
  ])("%s of a commit says when the session ends, however much it is used", async (_, options) => {
    let now = Date.now();
    const sessions = createSessionManager({ clock: () => now });
    const { getSession, commitSession } = createSessionStorage<Data>(sessions);
    const session = await getSession();
    session.set("userId", "ada");
    const cookie = pair(await commitSession(session, options()));
    now += 9_000;
    const again = await getSession(cookie);
    again.set("items", []);
    await commitSession(again);
    now += 2_000;
    expect((await getSession(cookie)).data).toEqual({});
  });

  test("has the manager's attributes: other options are refused, and so are options of the cookie", async () => {
    const { getSession, commitSession, destroySession } = ours();
    const session = await getSession();
    await expect(commitSession(session, { path: "/admin" })).rejects.toThrow(/unknown option "path"/);
    await expect(destroySession(session, { path: "/admin" })).rejects.toThrow(/unknown option "path"/);
    await expect(getSession("", { decode: String })).rejects.toThrow(/unknown option "decode"/);
    const make = (...args: unknown[]): unknown => Reflect.apply(createSessionStorage, undefined, args);
    expect(() => make(createSessionManager(), { cookie: { name: "sid" } })).toThrow(
      /unknown option "cookie"/,
    );
    expect(() => make(createSessionManager(), { store: "a/b" })).toThrow(TypeError);
    for (const name of ["adopt", "principal"])
      expect(() => make(createSessionManager(), { [name]: "userId" })).toThrow(`${name} must be a function`);
    expect(() => make({ cookie: {} })).toThrow(/not a session manager/);
  });
});

describe("a principal", () => {
  const open = () => {
    const sessions = createSessionManager();
    return {
      sessions,
      ...createSessionStorage<Data, Flash>(sessions, { principal: ({ userId }) => userId }),
    };
  };

  test("logs in: the session gets a new id with what it held, the old cookie is dead, and destroyAll() reaches it", async () => {
    const { sessions, getSession, commitSession } = open();
    const guest = await getSession();
    guest.set("items", ["tea"]);
    const planted = pair(await commitSession(guest));

    const session = await getSession(planted);
    session.set("userId", "ada");
    session.flash("error", "Welcome");
    const cookie = pair(await commitSession(session));
    expect((await getSession(planted)).data).toEqual({});
    const after = await getSession(cookie);
    expect(after.data).toEqual({ items: ["tea"], userId: "ada", __flash_error__: "Welcome" });
    expect(sessionOf(after).principal).toBe("ada");
    after.set("items", []);
    expect(await commitSession(after)).toBe("");
    expect(await sessions.destroyAll({ principal: "ada" })).toBe(1);
    expect((await getSession(cookie)).data).toEqual({});
  });

  test("may come while another handler's commit of the same session is under way", async () => {
    const backend = createBackend();
    const { getSession, commitSession } = createSessionStorage<Data>(
      createSessionManager({ driver: backend.driver }),
      { principal: ({ userId }) => userId },
    );
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    backend.beforeWrite = () => held;
    const session = await getSession();
    session.set("items", ["tea"]);
    const commits = [commitSession(session)];
    await Promise.resolve();
    session.set("userId", "ada");
    commits.push(commitSession(session));
    release();
    const [, setCookie = ""] = await Promise.all(commits);
    const after = await getSession(pair(setCookie));
    expect([sessionOf(after).principal, after.data]).toEqual(["ada", { items: ["tea"], userId: "ada" }]);
  });

  test("of another user takes the place of the first one, with the data", async () => {
    const { getSession, commitSession } = open();
    const session = await getSession();
    session.set("userId", "ada");
    session.set("items", ["tea"]);
    const first = pair(await commitSession(session));
    const other = await getSession(first);
    other.set("userId", "bob");
    const second = pair(await commitSession(other));
    expect((await getSession(first)).data).toEqual({});
    expect((await getSession(second)).data).toEqual({ userId: "bob", items: ["tea"] });
  });
});

test("two storages of one manager share the session, and not their keys", async () => {
  const sessions = createSessionManager();
  const theme = createSessionStorage(sessions, { store: "theme" });
  const user = createSessionStorage(sessions);
  const session = await theme.getSession();
  session.set("name", "dark");
  const cookie = pair(await theme.commitSession(session));
  expect((await theme.getSession(cookie)).data).toEqual({ name: "dark" });
  expect((await user.getSession(cookie)).data).toEqual({});
});

test("a session of somebody else is refused", async () => {
  const { commitSession, destroySession } = createSessionStorage(createSessionManager());
  await expect(commitSession(createSession())).rejects.toThrow(/not from createSessionStorage/);
  await expect(destroySession(createSession())).rejects.toThrow(/not from createSessionStorage/);
  expect(() => sessionOf(createSession())).toThrow(TypeError);
});

test("a value of undefined is no value", async () => {
  const { getSession } = createSessionStorage(createSessionManager());
  const session = await getSession();
  session.set("name", "dark");
  session.set("name", undefined);
  session.flash("note", "Saved");
  session.flash("note", undefined);
  expect([session.has("name"), session.has("note")]).toEqual([false, false]);
});

test("down is an error, and not a visitor who is logged out", async () => {
  const { driver, down } = createBackend();
  const { getSession, commitSession, destroySession } = createSessionStorage(
    createSessionManager({ driver }),
  );
  const session = await getSession();
  session.set("userId", "ada");
  const cookie = pair(await commitSession(session));
  const open = await getSession(cookie);
  for (const method of ["create", "load", "commit"]) down.add(method);
  open.set("userId", "bob");
  const calls = [
    getSession(cookie),
    destroySession(await getSession()),
    commitSession(open),
    destroySession(open),
  ];
  const results = await Promise.allSettled(calls);
  const isDown = results.map(
    (result) => result.status === "rejected" && isSessionError(result.reason, "ERR_SESSION_UNAVAILABLE"),
  );
  // There is nothing to end for a visitor without a session.
  expect(isDown).toEqual([true, false, true, true]);
  down.clear();
  expect((await getSession(cookie)).get("userId")).toBe("ada");
});
