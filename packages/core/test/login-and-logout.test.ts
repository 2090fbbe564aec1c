import { expect, test } from "vitest";
import { createSessionManager, DriverUnavailableError, isSessionError } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { cookieOf, MINUTE, spyDriver, testClock } from "./support.ts";

function setUp() {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  let fail = "";
  const driver = spyDriver({}, memoryDriver(), (call) => {
    if (call === fail) throw new DriverUnavailableError("The test's backend is down");
  });
  const { counts, calls } = driver;
  const sessions = createSessionManager({ driver, clock: time.clock });
  return {
    ...time,
    sessions,
    driver,
    counts,
    calls,
    failing(call: string) {
      fail = call;
    },
    async visitor(data: Record<string, unknown> = { a: 1 }, principal?: string) {
      const session = await sessions.open(undefined);
      for (const [key, value] of Object.entries(data)) session.store("data").set(key, value);
      if (principal !== undefined) session.login(principal);
      const jar = cookieOf((await session.commit()).setCookie);
      counts();
      return { jar, id: session.id };
    },
  };
}

test("a login gives a new id and secret, takes over the stores, and ends the old session", async () => {
  const { sessions, visitor, counts, driver } = setUp();
  const { jar, id } = await visitor();
  const session = await sessions.open(jar);
  session.store("data").set("b", 2);
  session.login("alice");
  expect([session.principal, session.isNew, session.id]).toEqual(["alice", false, id]);
  const { status, setCookie, token, cookie } = await session.commit();
  expect(status).toBe("committed");
  expect(counts()).toEqual({ load: 1, create: 1, commit: 1 });
  expect(setCookie).toContain(`${cookie?.name}=${token}`);
  expect(token?.startsWith(session.id)).toBe(true);
  expect(session.id).not.toBe(id);

  const next = await sessions.open(cookieOf(setCookie));
  expect([next.id, next.principal, ...next.store("data").entries()]).toEqual([
    session.id,
    "alice",
    ["a", 1],
    ["b", 2],
  ]);
  expect(await sessions.valid(id)).toBe(false);
  expect(await sessions.exists(id)).toBe(false);
  // The leftover keeps nothing but how to recognise the old token, and how it ended.
  const leftover = await driver.load(id);
  expect([leftover?.principal, [...(leftover?.fields.keys() ?? [])]]).toEqual([
    undefined,
    ["/session", "/ended"],
  ]);
});

test("another principal's session is ended, and nothing of it is taken over, staged changes neither", async () => {
  const { sessions, visitor } = setUp();
  const { jar, id } = await visitor({ a: 1 }, "alice");
  const session = await sessions.open(jar);
  const store = session.store("data");
  const value = store.get("a");
  store.set("b", { planted: value });
  session.login("bob");
  expect([store.size, store.get("a"), session.storeNames()]).toEqual([0, undefined, []]);
  store.set("c", 3);
  const jarOfBob = cookieOf((await session.commit()).setCookie);
  const next = await sessions.open(jarOfBob);
  expect([next.principal, ...next.store("data").entries()]).toEqual(["bob", ["c", 3]]);
  expect(await sessions.valid(id)).toBe(false);
});

test("logging in again as the same principal keeps the stores", async () => {
  const { sessions, visitor } = setUp();
  const { jar } = await visitor({ a: 1 }, "alice");
  const session = await sessions.open(jar);
  session.login("alice");
  const next = await sessions.open(cookieOf((await session.commit()).setCookie));
  expect(next.store("data").get("a")).toBe(1);
});

test("a login on a session that is not stored needs one write", async () => {
  const { sessions, counts } = setUp();
  const session = await sessions.open(undefined);
  session.login("alice");
  await session.commit();
  expect(counts()).toEqual({ create: 1 });
});

test("rotate() keeps principal, stores and creation, and changes the token", async () => {
  const { sessions, visitor, pass } = setUp();
  const { jar, id } = await visitor({ a: 1 }, "alice");
  pass(MINUTE);
  const session = await sessions.open(jar);
  const created = session.createdAt.getTime();
  session.rotate();
  const next = await sessions.open(cookieOf((await session.commit()).setCookie));
  expect(next.id).not.toBe(id);
  expect([next.principal, next.store("data").get("a"), next.createdAt.getTime()]).toEqual([
    "alice",
    1,
    created,
  ]);
  expect(await sessions.valid(id)).toBe(false);
});

test("rotate() where nothing is stored does nothing", async () => {
  const { sessions, counts } = setUp();
  const session = await sessions.open(undefined);
  session.rotate();
  expect((await session.commit()).status).toBe("unchanged");
  expect(counts()).toEqual({});
});

test("logout ends the record at once, and leaves a fresh session whose writes go into a new record", async () => {
  const { sessions, visitor } = setUp();
  const { jar, id } = await visitor({ a: 1 }, "alice");
  const session = await sessions.open(jar);
  const store = session.store("data");
  store.set("dropped", true);
  await session.logout();
  expect(await sessions.valid(id)).toBe(false);
  expect([session.isNew, session.principal, store.size]).toEqual([true, undefined, 0]);
  expect(session.id).not.toBe(id);
  const silent = await session.commit();
  expect(silent.setCookie).toBe(sessions.clearCookie());
  store.set("flash", "Goodbye");
  const next = await sessions.open(cookieOf((await session.commit()).setCookie));
  expect([next.principal, ...next.store("data").entries()]).toEqual([undefined, ["flash", "Goodbye"]]);
});

test("a logout on a session that no cookie named sends none", async () => {
  const { sessions } = setUp();
  const fresh = await sessions.open(undefined);
  await fresh.logout();
  expect(await fresh.commit()).toMatchObject({ status: "unchanged", setCookie: undefined });
  const rejected = await sessions.open("sid=nonsense");
  await rejected.logout();
  expect((await rejected.commit()).setCookie).toBeUndefined();
});

test("of two logouts at once the later finds the session ended, and overwrites no newer cookie", async () => {
  const { sessions, visitor } = setUp();
  const { jar } = await visitor({}, "alice");
  const [first, second] = [await sessions.open(jar), await sessions.open(jar)];
  await first.logout();
  await second.logout();
  second.store("data").set("flash", 1);
  expect((await first.commit()).setCookie).toBe(sessions.clearCookie());
  expect(await second.commit()).toMatchObject({ status: "gone", setCookie: undefined });
});

test("a request in flight during a logout cannot bring the session back, whether it wrote or only touched", async () => {
  const { sessions, visitor, pass, calls } = setUp();
  const { jar, id } = await visitor({ a: 1 }, "alice");
  const [writer, toucher, updater, leaver] = await Promise.all([1, 2, 3, 4].map(() => sessions.open(jar)));
  pass(10 * MINUTE);
  await leaver?.logout();
  writer?.store("data").set("b", 2);
  updater?.store("data").update("a", (a) => Number(a) + 1);
  for (const session of [writer, toucher, updater]) {
    expect(await session?.commit()).toEqual({
      status: "gone",
      token: undefined,
      setCookie: undefined,
      cookie: undefined,
    });
    // Once gone it stays gone, and the backend is not asked again.
    calls.splice(0);
    expect((await session?.commit())?.status).toBe("gone");
    expect(calls).toEqual([]);
  }
  expect(await sessions.valid(id)).toBe(false);
  expect((await sessions.open(jar)).principal).toBeUndefined();
});

test("a session that was destroyed or expired in the meantime is gone for the requests in flight", async () => {
  const { sessions, visitor, pass, clock } = setUp();
  for (const how of ["destroy", "destroyAll", "setExpiry", "idle"] as const) {
    const { jar, id } = await visitor({ a: 1 }, "alice");
    const inFlight = await sessions.open(jar);
    if (how === "destroy") await sessions.destroy(id);
    if (how === "destroyAll") await sessions.destroyAll({ principal: "alice" });
    if (how === "setExpiry") await sessions.setExpiry(id, new Date(clock()));
    if (how === "idle") pass(24 * 60 * MINUTE);
    inFlight.store("data").set("b", 2);
    expect([how, (await inFlight.commit()).status]).toEqual([how, "gone"]);
    expect(await sessions.valid(id)).toBe(false);
  }
});

test("an old token is muted for two minutes after a login, rotate() or logout, and after that is like none", async () => {
  for (const how of ["login", "rotate", "logout"] as const) {
    const { sessions, visitor, pass } = setUp();
    const { jar } = await visitor({ a: 1 }, "alice");
    const session = await sessions.open(jar);
    if (how === "login") session.login("alice");
    if (how === "rotate") session.rotate();
    if (how === "logout") await session.logout();
    await session.commit();

    pass(2 * MINUTE - 1);
    const muted = await sessions.open(jar);
    expect([muted.isNew, muted.principal, muted.rejected]).toEqual([true, undefined, "expired"]);
    muted.store("data").set("b", 2);
    expect(await muted.commit({ seal: true })).toMatchObject({ status: "gone", setCookie: undefined });
    // It is silent, not broken: what it does after the headers went out is no error either.
    muted.store("data").set("c", 3);
    expect((await muted.commit()).status).toBe("gone");

    pass(1);
    const fresh = await sessions.open(jar);
    fresh.store("data").set("b", 2);
    expect((await fresh.commit()).status).toBe("committed");
  }
});

test("two minutes after a rotate() the old token leads nowhere, whatever is done with it", async () => {
  for (const principal of ["alice", undefined])
    for (const act of ["write", "logout", "login"] as const) {
      const { sessions, visitor, pass } = setUp();
      const { jar: old } = await visitor({ secret: "address" }, principal);
      const session = await sessions.open(old);
      session.rotate();
      const now = cookieOf((await session.commit()).setCookie);
      pass(2 * MINUTE);
      const thief = await sessions.open(old);
      if (act === "write") thief.store("x").set("y", 1);
      if (act === "logout") await thief.logout();
      if (act === "login") thief.login("mallory");
      const stolen = await sessions.open(cookieOf((await thief.commit()).setCookie));
      expect([act, thief.store("data").size, stolen.store("data").size]).toEqual([act, 0, 0]);
      expect((await sessions.open(now)).store("data").get("secret")).toBe("address");
    }
});

test("an anonymous session that was rotated is not taken over by whoever logs in with its old token", async () => {
  const { sessions, visitor } = setUp();
  const { jar: old } = await visitor({ secret: "address" });
  const session = await sessions.open(old);
  session.rotate();
  await session.commit();
  const thief = await sessions.open(old);
  thief.login("mallory");
  await thief.commit();
  expect(thief.store("data").size).toBe(0);
});

test("after rotate() and before its commit the id is the one that others see", async () => {
  const { sessions, visitor } = setUp();
  const { jar } = await visitor({}, "alice");
  const session = await sessions.open(jar);
  session.rotate();
  expect(await sessions.destroyAll({ principal: "alice", except: session.id })).toBe(0);
  expect((await session.commit()).status).toBe("committed");
});

test("an expiry in the past ends the session also where it was to be rotated or logged in", async () => {
  for (const how of ["login", "rotate"] as const) {
    const { sessions, visitor, clock } = setUp();
    const { jar, id } = await visitor({ a: 1 }, "alice");
    const session = await sessions.open(jar);
    if (how === "login") session.login("alice");
    else session.rotate();
    session.setExpiry(new Date(clock()));
    expect((await session.commit()).setCookie).toBeUndefined();
    expect([how, await sessions.valid(id), await sessions.destroyAll({ principal: "alice" })]).toEqual([
      how,
      false,
      0,
    ]);
  }
});

test("where the last call of a login failed and another request had ended the session, one way in is left, or none", async () => {
  for (const [how, other] of [
    ["login", "rotate"],
    ["rotate", "logout"],
  ] as const) {
    const inner = memoryDriver();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const driver = spyDriver(
      {
        async commit(...args) {
          const first = meanwhile;
          meanwhile = undefined;
          if (!first) return inner.commit(...args);
          await first();
          throw new DriverUnavailableError("The call did not go through");
        },
      },
      inner,
    );
    const sessions = createSessionManager({ driver });
    const member = await sessions.open(undefined);
    member.login("alice");
    const jar = cookieOf((await member.commit()).setCookie);
    const [mine, theirs] = [await sessions.open(jar), await sessions.open(jar)];
    if (how === "login") mine.login("alice");
    else mine.rotate();
    meanwhile = async () => {
      if (other === "rotate") theirs.rotate();
      else await theirs.logout();
      await theirs.commit();
    };
    const status = await mine.commit().then(
      (result) => result.status,
      () => "rejected",
    );
    const left = await sessions.destroyAll({ principal: "alice" });
    expect([how, status, left]).toEqual(how === "login" ? [how, "committed", 1] : [how, "rejected", 0]);
  }
});

test("a new session whose expiry is past is not stored, and gets no cookie", async () => {
  const { sessions, clock, counts } = setUp();
  const session = await sessions.open(undefined);
  session.store("data").set("a", 1);
  session.setExpiry(new Date(clock()));
  expect(await session.commit()).toMatchObject({ status: "gone", setCookie: undefined });
  expect(counts()).toEqual({});
});

test("a login or rotate() whose last call was done though it failed goes on", async () => {
  for (const how of ["login", "rotate"] as const) {
    const inner = memoryDriver();
    let timeOut = false;
    const driver = spyDriver(
      {
        async commit(...args) {
          const outcome = await inner.commit(...args);
          if (timeOut) throw new DriverUnavailableError("The answer did not come in time");
          return outcome;
        },
      },
      inner,
    );
    const sessions = createSessionManager({ driver });
    const first = await sessions.open(undefined);
    first.store("data").set("a", 1);
    const jar = cookieOf((await first.commit()).setCookie);
    const session = await sessions.open(jar);
    if (how === "login") session.login("alice");
    else session.rotate();
    timeOut = true;
    const { setCookie } = await session.commit();
    timeOut = false;
    expect([how, (await sessions.open(cookieOf(setCookie))).store("data").get("a")]).toEqual([how, 1]);
  }
});

test("a muted request may log in", async () => {
  const { sessions, visitor } = setUp();
  const { jar } = await visitor({ a: 1 }, "alice");
  await (await sessions.open(jar)).logout();
  const muted = await sessions.open(jar);
  muted.login("bob");
  const { status, setCookie } = await muted.commit();
  expect(status).toBe("committed");
  expect((await sessions.open(cookieOf(setCookie))).principal).toBe("bob");
});

test("a cross-site request without our cookie is muted, and one with it is not", async () => {
  const { sessions, visitor, counts } = setUp();
  const { jar } = await visitor();
  const held = await sessions.open("other=1", { crossSite: true });
  held.store("data").set("b", 2);
  expect(await held.commit()).toMatchObject({ status: "gone", setCookie: undefined });
  expect(counts()).toEqual({});
  // A cookie of our name that is not accepted may have been planted to stand there.
  for (const junk of ["sid=junk", `sid=${"0".repeat(32)}.${"A".repeat(43)}`]) {
    const planted = await sessions.open(junk, { crossSite: true });
    planted.store("data").set("b", 2);
    expect(await planted.commit()).toMatchObject({ status: "gone", setCookie: undefined });
  }
  expect(counts()).toEqual({ load: 1 });
  const known = await sessions.open(jar, { crossSite: true });
  known.store("data").set("b", 2);
  expect((await known.commit()).status).toBe("committed");
  const payment = await sessions.open(undefined, { crossSite: true });
  payment.login("alice");
  expect((await payment.commit()).setCookie).toBeDefined();
});

test("sealed: what needs a cookie that the client lacks throws at the call, and what does not is committed later", async () => {
  const { sessions, visitor } = setUp();
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (isSessionError(error)) return error.code;
    }
    return "";
  };
  const fresh = await sessions.open(undefined);
  await fresh.commit({ seal: true });
  expect(code(() => fresh.store("data").set("a", 1))).toBe("ERR_SESSION_HEADERS_SENT");
  expect(code(() => fresh.store("data").update("a", () => 1))).toBe("ERR_SESSION_HEADERS_SENT");
  expect(code(() => fresh.login("alice"))).toBe("ERR_SESSION_HEADERS_SENT");
  expect(fresh.store("data").get("a")).toBeUndefined();

  const { jar } = await visitor();
  const known = await sessions.open(jar);
  await known.commit({ seal: true });
  expect(code(() => known.rotate())).toBe("ERR_SESSION_HEADERS_SENT");
  known.store("data").set("b", 2);
  expect((await known.commit()).status).toBe("committed");
  expect((await sessions.open(jar)).store("data").get("b")).toBe(2);

  // While the sealing commit that creates the session is under way, its cookie is as good as sent.
  const streaming = await sessions.open(undefined);
  streaming.store("data").set("a", 1);
  const sealing = streaming.commit({ seal: true });
  streaming.store("data").set("b", 2);
  const { setCookie } = await sealing;
  await streaming.commit();
  expect((await sessions.open(cookieOf(setCookie))).store("data").get("b")).toBe(2);
});

test("the cookie of a session that a handler commits itself is repeated until the commit that is sealed", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  session.store("data").set("a", 1);
  const first = await session.commit();
  const sealed = await session.commit({ seal: true });
  expect(sealed).toEqual({ ...first, status: "unchanged" });
  expect((await session.commit()).setCookie).toBeUndefined();
});

test("a commit that fails discards what was staged, and sends nothing", async () => {
  const { sessions, visitor, failing } = setUp();
  const { jar, id } = await visitor({ a: 1 }, "alice");
  const session = await sessions.open(jar);
  const store = session.store<{ a: number; b: number; list: number[] }>("data");
  store.set("b", 2);
  failing("commit");
  await expect(session.commit()).rejects.toThrow(DriverUnavailableError);
  failing("");
  expect([store.has("b"), store.get("a")]).toEqual([false, 1]);
  expect(await session.commit()).toMatchObject({ status: "unchanged", setCookie: undefined });

  session.login("bob");
  failing("create");
  await expect(session.commit()).rejects.toThrow(DriverUnavailableError);
  failing("");
  expect([session.id, session.principal, store.get("a")]).toEqual([id, "alice", 1]);
  expect((await session.commit()).setCookie).toBeUndefined();

  const fresh = await sessions.open(undefined);
  fresh.store("data").set("a", 1);
  failing("create");
  await expect(fresh.commit()).rejects.toThrow(DriverUnavailableError);
  failing("");
  expect(await fresh.commit()).toMatchObject({ status: "unchanged", setCookie: undefined });
});

test("a sealed commit that fails has sent nothing: an error page may log in, and must not write what it cannot hand out", async () => {
  const { sessions, failing } = setUp();
  const session = await sessions.open(undefined);
  session.store("data").set("a", 1);
  failing("create");
  await expect(session.commit({ seal: true })).rejects.toThrow(DriverUnavailableError);
  failing("");
  session.login("alice");
  expect((await session.commit({ seal: true })).setCookie).toBeDefined();

  const other = await sessions.open(undefined);
  other.store("data").set("a", 1);
  failing("create");
  await expect(other.commit({ seal: true })).rejects.toThrow(DriverUnavailableError);
  failing("");
  expect((await other.commit({ seal: true })).status).toBe("unchanged");
  expect(() => other.store("data").set("b", 2)).toThrow(/headers/);
});

test("a login whose ending of the old session fails leaves no new one behind", async () => {
  const { sessions, visitor, failing } = setUp();
  const { jar } = await visitor({ a: 1 });
  const session = await sessions.open(jar);
  session.login("alice");
  failing("commit");
  await expect(session.commit()).rejects.toThrow(DriverUnavailableError);
  failing("");
  expect(await sessions.destroyAll({ principal: "alice" })).toBe(0);
  expect((await sessions.open(jar)).store("data").get("a")).toBe(1);
});

test("down is not logged out: every call rejects, none finds an empty session", async () => {
  const { sessions, visitor, failing } = setUp();
  const { jar, id } = await visitor({}, "alice");
  const open = await sessions.open(jar);
  failing("load");
  await expect(sessions.open(jar)).rejects.toThrow(DriverUnavailableError);
  await expect(sessions.get(id)).rejects.toThrow(DriverUnavailableError);
  await expect(sessions.valid(id)).rejects.toThrow(DriverUnavailableError);
  failing("commit");
  await expect(open.logout()).rejects.toThrow(DriverUnavailableError);
  failing("");
  expect((await sessions.open(jar)).principal).toBe("alice");
});

test("a new id that is taken is replaced, five times at most", async () => {
  const clock = testClock();
  for (const taken of [4, 5]) {
    let refusals = taken;
    const inner = memoryDriver();
    const driver = spyDriver(
      {
        create: async (...args) => (refusals-- > 0 ? false : inner.create(...args)),
      },
      inner,
    );
    const sessions = createSessionManager({ driver, clock });
    const session = await sessions.open(undefined);
    const first = session.id;
    session.store("data").set("a", 1);
    if (taken === 5) await expect(session.commit()).rejects.toMatchObject({ code: "ERR_SESSION_CONFLICT" });
    else {
      const { setCookie } = await session.commit();
      expect(session.id).not.toBe(first);
      expect((await sessions.open(cookieOf(setCookie))).id).toBe(session.id);
    }
  }
});

test("a principal that no backend could keep is refused", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  for (const principal of ["", "a\0b", "\ud800", "é".repeat(128)])
    expect(() => session.login(principal)).toThrow(TypeError);
  session.login("é".repeat(127));
  expect((await session.commit()).status).toBe("committed");
});
