import { describe, expect, test } from "vitest";
import { whenPending } from "../src/adapter-tools.ts";
import { createSessionManager, isSessionError, type Session, type SessionManager } from "../src/index.ts";

const MINUTE = 60_000;

/** A manager, and the cookie of a stored session with a number and an object in it. */
async function begin(options: Parameters<typeof createSessionManager>[0] = {}) {
  let now = 1_800_000_000_000;
  const sessions = createSessionManager({ clock: () => now, ...options });
  const session = await sessions.open(undefined);
  session.login("ann");
  session.store("app").set("n", 1).set("list", [1]);
  const cookie = (await session.commit({ seal: true })).setCookie?.split(";", 1)[0] ?? "";
  const later = (ms: number): void => {
    now += ms;
  };
  return { sessions, cookie, later };
}

/** How often it was said that a commit would have something to do. */
function listen(session: Session, headersSent = false): () => number {
  let calls = 0;
  whenPending(session, () => {
    calls++;
    return headersSent ? "sent" : "held";
  });
  return () => calls;
}

const writes: Record<string, (session: Session, sessions: SessionManager) => unknown> = {
  set: (session) => session.store("app").set("n", 2),
  assign: (session) => session.store("app").assign({ n: 2 }),
  flash: (session) => session.flash("notice", "Saved."),
  delete: (session) => session.store("app").delete("n"),
  take: (session) => session.store("app").take("n"),
  clear: (session) => session.store("app").clear(),
  update: (session) => session.store("app").update("n", () => 2),
  "a value that may be mutated in place": (session) => session.store("app").get("list"),
  "all values, such a one among them": (session) => [...session.store("app").values()],
  login: (session) => session.login("bob"),
  rotate: (session) => session.rotate(),
  setExpiry: (session) => session.setExpiry(new Date(1_800_000_000_000 + MINUTE)),
  logout: (session) => session.logout(),
  commit: (session) => session.commit(),
};

describe("whoever sends the response is told, once, before there is anything to commit", () => {
  test.each(Object.entries(writes))("by %s", async (_, write) => {
    const { sessions, cookie } = await begin();
    const session = await sessions.open(cookie);
    const calls = listen(session);
    expect(calls()).toBe(0);
    await write(session, sessions);
    expect(calls()).toBe(1);
    session.store("app").set("n", 3);
    expect(calls()).toBe(1);
  });

  test("and not by what only reads, whose commit does nothing", async () => {
    const { sessions, cookie } = await begin();
    for (const header of [cookie, undefined, "sid=nonsense"]) {
      const session = await sessions.open(header);
      const calls = listen(session);
      const store = session.store("app");
      expect([store.get("n") === 1, store.has("n"), store.size > 0]).toEqual(
        Array(3).fill(header === cookie),
      );
      store.delete("none");
      expect([session.storeNames().length > 0, session.id.length]).toEqual([header === cookie, 32]);
      expect(calls()).toBe(0);
      expect(await session.commit({ seal: true })).toMatchObject({
        status: "unchanged",
        setCookie: undefined,
      });
    }
  });
});

describe("it is told at once", () => {
  test("where being used moves the expiry", async () => {
    const { sessions, cookie, later } = await begin({ touchEvery: MINUTE });
    later(MINUTE - 1);
    expect(listen(await sessions.open(cookie))()).toBe(0);
    later(1);
    expect(listen(await sessions.open(cookie))()).toBe(1);
    expect(listen(await sessions.open(cookie, { touch: false }))()).toBe(0);
  });

  test("where a new token may be due", async () => {
    const { sessions, cookie } = await begin({ rotation: { every: "10m" } });
    expect(listen(await sessions.open(cookie))()).toBe(1);
  });

  test("where something is staged, was read to be mutated, or is to be stored though it is empty", async () => {
    const { sessions, cookie } = await begin();
    const staged = await sessions.open(cookie);
    staged.store("app").set("n", 2);
    const read = await sessions.open(cookie);
    read.store("app").get("list");
    for (const session of [staged, read, sessions.create()]) expect(listen(session)()).toBe(1);
  });

  test("of a session that is none of ours", async () => {
    const { sessions } = await begin();
    expect(listen(Object.create(sessions.create()))()).toBe(1);
  });
});

test("where the headers have gone out, the session is as one that was sealed", async () => {
  const { sessions, cookie } = await begin();
  const known = await sessions.open(cookie);
  listen(known, true);
  known.store("app").set("n", 2);
  expect(() => known.login("bob")).toThrow("after the headers went out");
  expect(await known.commit()).toMatchObject({ status: "committed", setCookie: undefined });

  const fresh = await sessions.open(undefined);
  listen(fresh, true);
  let thrown: unknown;
  try {
    fresh.store("app").set("n", 2);
  } catch (error) {
    thrown = error;
  }
  expect(isSessionError(thrown, "ERR_SESSION_HEADERS_SENT")).toBe(true);
});

test("after the headers, what being used would do is left to a later request", async () => {
  const { sessions, cookie, later } = await begin({ touchEvery: MINUTE });
  later(MINUTE);
  const session = await sessions.open(cookie);
  const first = listen(session, true);
  expect(first()).toBe(1);
  expect(listen(session)()).toBe(0);
});
