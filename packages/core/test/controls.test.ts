import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";
import { dropLogin, wasRead, whenPending } from "../src/adapter-tools.ts";
import type { Session, SessionManager } from "../src/index.ts";
import { compileInto, cookieFrom, setUp, stored } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "sessions-copy-"));
afterAll(() => rmSync(folder, { recursive: true }));
const otherCopy: typeof import("../src/index.ts") = await import(compileInto(folder));

const binding = <T extends object>(target: T): T =>
  new Proxy(target, {
    get(it, key) {
      const value: unknown = Reflect.get(it, key);
      return typeof value === "function" ? value.bind(it) : value;
    },
  });

/** A manager's sessions, as something in between hands them on. */
const wrapped = (sessions: SessionManager, wrap: (session: Session) => Session): SessionManager => ({
  ...sessions,
  open: async (...args) => wrap(await sessions.open(...args)),
});

const ways: Record<string, () => SessionManager> = {
  "as it is": () => setUp().sessions,
  "in a Proxy": () => wrapped(setUp().sessions, (session) => new Proxy(session, {})),
  "in a Proxy that binds": () => wrapped(setUp().sessions, binding),
  "in two": () => wrapped(setUp().sessions, (session) => new Proxy(binding(session), {})),
  "of a manager in a Proxy": () => new Proxy(setUp().sessions, {}),
  "of another copy of this package": () => otherCopy.createSessionManager(),
};

describe.each(Object.entries(ways))("a session %s", (_, make) => {
  test("works", async () => {
    const sessions = make();
    const session = await sessions.open(undefined);
    session.store("s").set("k", 1);
    session.login("ann");
    const cookie = cookieFrom(await session.commit());
    const again = await sessions.open(cookie);
    expect([again.principal, again.store("s").get("k"), again.storeNames()]).toEqual(["ann", 1, ["s"]]);
    again.rotate();
    await again.commit();
    await again.logout();
    expect(again.principal).toBeUndefined();
  });

  test("tells an adapter when it is pending, read, and takes a login back", async () => {
    const session = await make().open(undefined);
    const told = vi.fn(() => "held" as const);
    expect(whenPending(session, told)).toBe(true);
    expect(wasRead(session)).toBe(false);
    session.store("s").set("k", 1);
    expect(told).toHaveBeenCalledTimes(1);
    expect(wasRead(session)).toBe(false);
    session.login("ann");
    expect(dropLogin(session)).toBe(true);
    expect(session.principal).toBeUndefined();
    expect(wasRead(session)).toBe(true);
  });
});

test("an object that only looks like a session cannot tell", () => {
  const lookalike: Session = Object.create(null);
  expect(whenPending(lookalike, () => "held")).toBe(false);
  expect([dropLogin(lookalike), wasRead(lookalike)]).toEqual([false, true]);
});

const looks: Record<string, (session: Session) => unknown> = {
  id: (session) => session.id,
  isNew: (session) => session.isNew,
  principal: (session) => session.principal,
  rejected: (session) => session.rejected,
  createdAt: (session) => session.createdAt,
  expiresAt: (session) => session.expiresAt,
  storeNames: (session) => session.storeNames(),
  get: (session) => session.store("s").get("k"),
  has: (session) => session.store("s").has("k"),
  size: (session) => session.store("s").size,
  keys: (session) => session.store("s").keys(),
  values: (session) => session.store("s").values(),
  entries: (session) => session.store("s").entries(),
  iteration: (session) => [...session.store("s")],
  take: (session) => session.store("s").take("k"),
  flash: (session) => session.flash("k"),
  update: (session) => session.store("s").update("k", () => 1),
};

describe("a program that looks at its session makes an answer that depends on the cookie", () => {
  test.each(Object.entries(looks))("by %s", async (_, look) => {
    const { sessions } = setUp();
    for (const cookie of [undefined, await stored(sessions, (session) => session.store("s").set("k", 1))]) {
      const session = await sessions.open(cookie);
      expect(wasRead(session)).toBe(false);
      look(session);
      expect(wasRead(session)).toBe(true);
    }
  });

  test("and not by what only writes", async () => {
    const session = await setUp().sessions.open(undefined);
    session.store("s").set("k", 1).assign({ k: 2 });
    session.flash("k", "Saved.");
    session.login("ann");
    await session.commit({ seal: true });
    expect(wasRead(session)).toBe(false);
  });
});

describe("once the response is over", () => {
  const over = async () => {
    const { sessions, driver } = setUp();
    const guest = await sessions.open(undefined);
    whenPending(guest, () => "over");
    const visitor = await sessions.open(await stored(sessions));
    whenPending(visitor, () => "over");
    driver.counts();
    return { driver, guest, visitor };
  };

  test("a guest's writes are dropped with one warning that names the place", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { driver, guest } = await over();
    for (let n = 0; n < 3; n++) {
      const store = guest.store("s");
      store.set("k", n);
    }
    expect(guest.store("s").get("k")).toBeUndefined();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(inspect(warn.mock.calls[0])).toMatch(/controls\.test\.ts/);
    guest.store("s").update("k", () => 1);
    guest.store("s").delete("k");
    guest.store("s").clear();
    guest.setExpiry(new Date(2_000_000_000_000));
    expect((await guest.commit()).status).toBe("unchanged");
    expect(driver.counts()).toEqual({});
    warn.mockRestore();
  });

  test("a visitor's are committed", async () => {
    const { driver, visitor } = await over();
    visitor.store("s").set("k", 1);
    expect((await visitor.commit()).status).toBe("committed");
    expect(driver.counts()).toEqual({ commit: 1 });
  });

  test("login() and rotate() throw", async () => {
    const { guest, visitor } = await over();
    for (const session of [guest, visitor]) {
      expect(() => session.login("ann")).toThrow(
        expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" }),
      );
      expect(() => session.rotate()).toThrow(expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" }));
    }
  });
});

test("what a session prints holds no secret", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  session.login("ann");
  const { token = "" } = await session.commit();
  expect(inspect(session, { depth: 9, showHidden: true })).not.toContain(token.split(".")[1]?.slice(0, 10));
});
