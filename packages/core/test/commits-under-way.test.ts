import { expect, test } from "vitest";
import { createSessionManager, DriverUnavailableError } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { cookieFrom, MINUTE, spyDriver, testClock } from "./support.ts";

/* What a program does to a session while a commit of it is at the backend. */

function setUp() {
  const inner = memoryDriver();
  const hook: { during?: (() => void) | undefined } = {};
  const fire = (): void => {
    const { during } = hook;
    hook.during = undefined;
    during?.();
  };
  const driver = spyDriver(
    {
      async create(...args) {
        fire();
        return inner.create(...args);
      },
      async commit(...args) {
        fire();
        return inner.commit(...args);
      },
    },
    inner,
  );
  const clock = testClock();
  const down = (): never => {
    throw new DriverUnavailableError("The test's backend is down");
  };
  return { sessions: createSessionManager({ driver, clock }), hook, clock, down };
}

test("login and rotate refuse: the commit has begun with another token, principal and stores", async () => {
  for (const how of ["login", "rotate"] as const) {
    const { sessions, hook } = setUp();
    const session = sessions.create();
    session.login("alice");
    session.store("mail").set("private", "alice's");
    let refusal: unknown;
    hook.during = () => {
      try {
        if (how === "login") session.login("bob");
        else session.rotate();
      } catch (error) {
        refusal = error;
      }
    };
    const jar = cookieFrom(await session.commit());
    expect(refusal).toBeInstanceOf(TypeError);
    expect((await sessions.open(jar)).principal).toBe("alice");
    session.login("bob");
    const bob = await sessions.open(cookieFrom(await session.commit()));
    expect([bob.principal, bob.storeNames()]).toEqual(["bob", []]);
  }
});

test("what is written belongs to the next commit, and an expiry too", async () => {
  const { sessions, hook, clock } = setUp();
  const session = sessions.create();
  await session.commit();
  session.store("a").set("n", 1);
  hook.during = () => {
    session.store("a").set("n", 2);
    session.setExpiry(new Date(clock() + MINUTE));
  };
  await session.commit();
  const stored = await sessions.get(session.id);
  expect([stored?.store("a").get("n"), stored?.expiresAt.getTime() === clock() + MINUTE]).toEqual([1, false]);
  await session.commit();
  const later = await sessions.get(session.id);
  expect([later?.store("a").get("n"), later?.expiresAt.getTime() === clock() + MINUTE]).toEqual([2, true]);
});

test("an update upon what is on its way is exact in the next", async () => {
  const { sessions, hook } = setUp();
  const first = sessions.create();
  first.store<{ n: number }>("a").set("n", 10);
  const jar = cookieFrom(await first.commit());
  for (const begin of ["set", "update"] as const) {
    const mine = await sessions.open(jar);
    const store = mine.store<{ n: number }>("a");
    if (begin === "set") store.set("n", 0);
    else store.update("n", () => 0);
    hook.during = () => store.update("n", (n = 0) => n + 1);
    await mine.commit();
    const other = await sessions.open(jar);
    other.store<{ n: number }>("a").update("n", (n = 0) => n + 100);
    await other.commit();
    await mine.commit();
    expect([begin, (await sessions.open(jar)).store("a").get("n")]).toEqual([begin, 101]);
  }
});

test("a commit that was called behind one that fails fails with it, and nothing is half written", async () => {
  const { sessions, hook, down } = setUp();
  const session = sessions.create();
  await session.commit();
  const store = session.store("a");
  store.set("n", 1);
  hook.during = down;
  const first = session.commit();
  store.set("m", 2);
  const second = session.commit({ seal: true });
  await expect(first).rejects.toThrow(DriverUnavailableError);
  await expect(second).rejects.toThrow(DriverUnavailableError);
  expect([store.size, (await sessions.get(session.id))?.storeNames()]).toEqual([0, []]);
  // The headers did not go out, and the next commit is one like any other.
  session.login("alice");
  expect((await session.commit({ seal: true })).status).toBe("committed");
});

test("a logout that was called behind a commit that fails is done all the same", async () => {
  const { sessions, hook, down } = setUp();
  const session = sessions.create();
  await session.commit();
  const { id } = session;
  session.store("a").set("n", 1);
  hook.during = down;
  const failing = session.commit();
  const leaving = session.logout();
  await expect(failing).rejects.toThrow(DriverUnavailableError);
  await leaving;
  expect(await sessions.valid(id)).toBe(false);
});

test("a commit that refuses a value leaves the login whole that is on its way", async () => {
  const { sessions } = setUp();
  const session = sessions.create();
  session.store("a").set("o", { f: 1 });
  const reader = await sessions.open(cookieFrom(await session.commit()));
  const value = reader.store<{ o: Record<string, unknown> }>("a").get("o") ?? {};
  reader.login("alice");
  const first = reader.commit();
  value["f"] = () => {};
  await expect(reader.commit()).rejects.toThrow(TypeError);
  expect((await sessions.open(cookieFrom(await first))).principal).toBe("alice");
  expect(reader.principal).toBe("alice");
});

test("what an earlier commit promised the client is handed out by the page that tells of a later one's failure", async () => {
  const { sessions, hook, down } = setUp();
  const session = await sessions.open(undefined);
  session.login("alice");
  await session.commit();
  session.store("cart").set("n", 2);
  hook.during = down;
  await expect(session.commit({ seal: true })).rejects.toThrow(DriverUnavailableError);
  const page = await session.commit({ seal: true });
  expect((await sessions.open(cookieFrom(page))).principal).toBe("alice");
});

test("a commit that is called after a failure was seen is one like any other, also while others wait", async () => {
  const { sessions, hook, down } = setUp();
  const session = sessions.create();
  await session.commit();
  const store = session.store("a");
  store.set("x", 1);
  hook.during = down;
  const first = session.commit();
  const others = [session.commit(), session.commit()];
  await expect(first).rejects.toThrow(DriverUnavailableError);
  store.set("y", 1);
  expect((await session.commit()).status).toBe("committed");
  for (const result of await Promise.allSettled(others)) expect(result.status).toBe("rejected");
  expect([...((await sessions.get(session.id))?.store("a").keys() ?? [])]).toEqual(["y"]);
});

test("a logout that fails fails alone: the commit behind it writes", async () => {
  const { sessions, hook, down } = setUp();
  const session = sessions.create();
  await session.commit();
  session.store("a").set("x", 1);
  hook.during = down;
  const leaving = session.logout();
  const behind = session.commit();
  await expect(leaving).rejects.toThrow(DriverUnavailableError);
  expect((await behind).status).toBe("committed");
});

test("after two sealed commits that failed the error page may log in", async () => {
  const { sessions, hook, down } = setUp();
  const session = await sessions.open(undefined);
  session.store("a").set("x", 1);
  hook.during = down;
  const both = await Promise.allSettled([session.commit({ seal: true }), session.commit({ seal: true })]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  session.login("alice");
  expect((await session.commit({ seal: true })).setCookie).toBeDefined();
});

test("what is staged can be read until the caller gives way, in a session that stores nothing, too", async () => {
  const { sessions } = setUp();
  const muted = await sessions.open(undefined, { crossSite: true });
  muted.store("s").set("k", 1);
  const committing = muted.commit({ seal: true });
  // As a handler does that sends the head of its page, and renders the rest.
  expect(muted.store("s").get("k")).toBe(1);
  expect((await committing).status).toBe("gone");
  expect(muted.store("s").get("k")).toBeUndefined();
});
