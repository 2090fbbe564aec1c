import { expect, test } from "vitest";
import { createSessionManager, type SessionManagerOptions } from "../src/index.ts";
import { cookieOf, DAY, HOUR, MINUTE, spyDriver, testClock } from "./support.ts";

async function stored(options: SessionManagerOptions = {}) {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const driver = spyDriver();
  const { counts } = driver;
  const sessions = createSessionManager({ clock: time.clock, ...options, driver });
  const session = await sessions.open(undefined);
  session.store("data").set("a", 1);
  const jar = cookieOf((await session.commit()).setCookie);
  counts();
  return {
    ...time,
    sessions,
    driver,
    counts,
    jar,
    id: session.id,
    /** A whole request: what it found, and when the session expires afterwards, counted from now. */
    async visit(write = false, touch = true) {
      const visitor = await sessions.open(jar, { touch });
      if (write) visitor.store("data").update("n", (n = 0) => Number(n) + 1);
      const { status } = await visitor.commit();
      return { status, rejected: visitor.rejected, left: visitor.expiresAt.getTime() - time.clock() };
    },
  };
}

test("a session that nobody uses for the idle timeout is expired, at that very millisecond", async () => {
  const { pass, sessions, jar, id, visit } = await stored({ idle: "1h" });
  pass(HOUR - 1);
  expect((await sessions.open(jar, { touch: false })).isNew).toBe(false);
  expect(await sessions.valid(id)).toBe(true);
  pass(1);
  expect(await sessions.valid(id)).toBe(false);
  expect(await sessions.exists(id)).toBe(true);
  expect(await visit()).toMatchObject({ rejected: "expired" });
});

test("use keeps a session alive until the absolute timeout, at that very millisecond", async () => {
  const { pass, sessions, id, visit } = await stored({ idle: "1h", absolute: "5h" });
  for (let used = 0; used < 9; used++) {
    pass(HOUR / 2);
    expect((await visit()).rejected).toBeUndefined();
  }
  pass(HOUR / 2 - 1);
  expect(await sessions.valid(id)).toBe(true);
  expect((await visit()).left).toBe(1);
  pass(1);
  expect(await visit()).toMatchObject({ rejected: "expired" });
});

test("a session in use lives to the absolute timeout, however seldom its expiry is moved", async () => {
  const { pass, visit } = await stored({ idle: "1h", absolute: "2h", touchEvery: "5m" });
  pass(57 * MINUTE);
  await visit();
  for (let used = 0; used < 6; used++) {
    pass(10 * MINUTE);
    await visit();
  }
  pass(2 * MINUTE);
  expect(await visit()).toMatchObject({ rejected: undefined, left: MINUTE });
});

test("absolute: false leaves the idle timeout alone", async () => {
  const { pass, visit } = await stored({ idle: "20d", absolute: false });
  for (let used = 0; used < 10; used++) {
    pass(19 * DAY);
    expect((await visit()).rejected).toBeUndefined();
  }
});

test("a shorter absolute timeout acts at once", async () => {
  const { pass, clock, driver, jar, id } = await stored({ absolute: "30d" });
  pass(2 * HOUR);
  const stricter = createSessionManager({ driver, clock, absolute: "2h" });
  expect((await stricter.open(jar)).rejected).toBe("expired");
  expect(await stricter.valid(id)).toBe(false);
  expect(await stricter.destroy(id)).toBe(false);
  expect((await stricter.list().next()).done).toBe(true);
});

test("a read moves the expiry at most once every touchEvery, and a write sooner", async () => {
  const { pass, visit, counts } = await stored({ idle: "1h", touchEvery: "5m" });
  pass(5 * MINUTE - 1);
  expect(await visit()).toMatchObject({ status: "unchanged", left: 55 * MINUTE + 1 });
  expect(counts()).toEqual({ load: 1 });
  pass(1);
  expect(await visit()).toMatchObject({ status: "committed", left: HOUR });
  expect(counts()).toEqual({ load: 1, commit: 1 });
  pass(MINUTE);
  expect(await visit(true)).toMatchObject({ status: "committed", left: HOUR });
  expect(counts()).toEqual({ load: 1, commit: 1 });
});

test("touch: false never moves the expiry", async () => {
  const { pass, visit } = await stored({ idle: "1h" });
  pass(50 * MINUTE);
  expect(await visit(false, false)).toMatchObject({ status: "unchanged", left: 10 * MINUTE });
  expect(await visit(true, false)).toMatchObject({ status: "committed", left: 10 * MINUTE });
});

test("a touch sends no cookie: the browser's cookie has a life of its own", async () => {
  const { pass, sessions, jar } = await stored({ idle: "1h", cookie: { maxAge: "7d" } });
  pass(30 * MINUTE);
  expect((await (await sessions.open(jar)).commit()).setCookie).toBeUndefined();
});

test("setExpiry fixes the expiry: neither touches nor writes move it, in that request or later", async () => {
  const { pass, clock, sessions, jar, visit } = await stored({ idle: "1h" });
  const session = await sessions.open(jar);
  session.setExpiry(new Date(clock() + 3 * HOUR));
  session.store("data").set("b", 2);
  await session.commit();
  expect(session.expiresAt.getTime()).toBe(clock() + 3 * HOUR);
  pass(HOUR);
  expect(await visit()).toMatchObject({ left: 2 * HOUR, status: "unchanged" });
  expect(await visit(true)).toMatchObject({ left: 2 * HOUR, status: "committed" });
  pass(2 * HOUR);
  expect(await visit()).toMatchObject({ rejected: "expired" });
});

test("setExpiry holds against requests in flight that touch or write", async () => {
  for (const hours of [0.5, 3])
    for (const write of [false, true]) {
      const { pass, clock, sessions, jar, id } = await stored({ idle: "1h" });
      pass(30 * MINUTE);
      const inFlight = await sessions.open(jar);
      if (write) inFlight.store("data").set("b", 2);
      expect(await sessions.setExpiry(id, new Date(clock() + hours * HOUR))).toBe(true);
      pass(1000);
      expect((await inFlight.commit()).status).toBe(write ? "committed" : "unchanged");
      expect((await sessions.get(id))?.expiresAt.getTime()).toBe(clock() - 1000 + hours * HOUR);
      expect((await sessions.get(id))?.store("data").get("b")).toBe(write ? 2 : undefined);
    }
});

test("setExpiry ends a session, never revives one, and never exceeds the absolute timeout", async () => {
  const { pass, clock, sessions, id } = await stored({ idle: "1h", absolute: "2h" });
  expect(await sessions.setExpiry(id, new Date(clock() + 5 * HOUR))).toBe(true);
  expect((await sessions.get(id))?.expiresAt.getTime()).toBe(clock() + 2 * HOUR);
  expect(await sessions.setExpiry(id, new Date(clock()))).toBe(true);
  expect(await sessions.valid(id)).toBe(false);
  expect(await sessions.setExpiry(id, new Date(clock() + HOUR))).toBe(false);
  expect(await sessions.setExpiry("0".repeat(32), new Date(clock() + HOUR))).toBe(false);
  pass(1);
  expect(await sessions.valid(id)).toBe(false);
});

test("a login lets the expiry move again, and begins the absolute timeout anew; rotate() keeps both", async () => {
  const { pass, clock, sessions, jar } = await stored({ idle: "1h", absolute: "5h" });
  const session = await sessions.open(jar);
  session.setExpiry(new Date(clock() + 4 * HOUR));
  session.rotate();
  const rotated = cookieOf((await session.commit()).setCookie);
  const created = session.createdAt.getTime();
  pass(3 * HOUR);
  const later = await sessions.open(rotated);
  expect([later.createdAt.getTime(), later.expiresAt.getTime()]).toEqual([created, clock() + HOUR]);
  later.login("alice");
  const loggedIn = cookieOf((await later.commit()).setCookie);
  expect(later.createdAt.getTime()).toBe(clock());
  for (let used = 0; used < 9; used++) {
    pass(30 * MINUTE);
    const again = await sessions.open(loggedIn);
    expect(again.principal).toBe("alice");
    await again.commit();
  }
});

test("an invalid date is a TypeError", async () => {
  const { sessions, jar, id } = await stored();
  const session = await sessions.open(jar);
  expect(() => session.setExpiry(new Date("no date"))).toThrow(TypeError);
  await expect(sessions.setExpiry(id, new Date(Number.NaN))).rejects.toThrow(TypeError);
});
