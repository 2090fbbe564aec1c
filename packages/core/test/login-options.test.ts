import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSessionManager, type LoginOptions, type SessionManagerOptions } from "../src/index.ts";
import { cookieFrom, cookieOf, DAY, HOUR, MINUTE, request, SECOND, setUp, thrownBy } from "./support.ts";

/** A user who logged in with options, after a visit as a guest. */
async function loggedIn(login: LoginOptions, options: SessionManagerOptions = {}) {
  const world = setUp(options);
  const { sessions, driver } = world;
  const guest = await request(sessions, undefined, (session) => void session.store("s").set("k", 1));
  const first = await request(sessions, cookieFrom(guest), (session) => session.login("ann", login));
  driver.counts();
  return { ...world, first, jar: cookieFrom(first) };
}

const maxAgeOf = (setCookie: string | undefined) => /max-age=(\d+)/i.exec(setCookie ?? "")?.[1];

describe("a login with a shorter life", () => {
  test("its idle timeout ends the session where the manager's would not", async () => {
    const { sessions, clock, jar } = await loggedIn({ idle: "30m" });
    clock.advance(30 * MINUTE - 1);
    expect((await sessions.open(jar, { touch: false })).principal).toBe("ann");
    clock.advance(1);
    expect((await sessions.open(jar)).rejected).toBe("expired");
  });

  test("a session in use stays, whatever touchEvery the manager has", async () => {
    const { sessions, clock, jar } = await loggedIn({ idle: "5m" }, { touchEvery: "1h" });
    for (let used = 0; used < 20; used++) {
      clock.advance(4 * MINUTE);
      expect((await sessions.open(jar)).principal).toBe("ann");
      await request(sessions, jar);
    }
  });

  test("a read touches it after a tenth of its idle timeout, and not before", async () => {
    const { sessions, clock, jar, driver } = await loggedIn({ idle: "10m" });
    clock.advance(MINUTE - 1);
    expect((await request(sessions, jar)).status).toBe("unchanged");
    clock.advance(1);
    expect((await request(sessions, jar)).status).toBe("committed");
    expect(driver.counts()).toEqual({ load: 2, commit: 1 });
  });

  test("its absolute timeout ends the session however much it is used, also where the expiry is set", async () => {
    const { sessions, clock, jar } = await loggedIn({ absolute: "2h" });
    const session = await sessions.open(jar);
    const end = clock() + 2 * HOUR;
    expect(await sessions.setExpiry(session.id, new Date(clock() + DAY))).toBe(true);
    expect((await sessions.get(session.id))?.expiresAt.getTime()).toBe(end);
    session.setExpiry(new Date(clock() + DAY));
    expect(session.expiresAt.getTime()).toBe(end);
    await session.commit();
    expect(session.expiresAt.getTime()).toBe(end);
    const { value } = await sessions.list({ principal: "ann" }).next();
    expect(value?.expiresAt.getTime()).toBe(end);
    clock.advance(2 * HOUR);
    expect((await sessions.open(jar)).rejected).toBe("expired");
  });

  test("its cookie ends with the browser or earlier than the manager's, and so do later cookies", async () => {
    for (const [maxAge, expected] of [
      ["session", undefined],
      ["1d", "86400"],
      [undefined, "2592000"],
    ] as const) {
      const rotation = { every: "10m", grace: "2m" } as const;
      const { sessions, clock, first, jar } = await loggedIn({ maxAge }, { rotation });
      expect(maxAgeOf(first.setCookie)).toBe(expected);
      expect(first.cookie?.maxAge).toBe(expected && Number(expected));
      clock.advance(10 * MINUTE);
      const periodic = await request(sessions, jar);
      expect(maxAgeOf(periodic.setCookie)).toBe(expected);
      const rotated = await request(sessions, cookieFrom(periodic), (session) => session.rotate());
      expect(rotated.setCookie).toBeDefined();
      expect(maxAgeOf(rotated.setCookie)).toBe(expected);
    }
  });

  test("rotate() keeps all of it; the next login begins anew; a logout leaves nothing of it", async () => {
    const { sessions, driver, jar, clock } = await loggedIn({ idle: "30m", label: "Anna’s phone" });
    const before = (await driver.records()).find(({ principal }) => principal === "ann");
    const session = await sessions.open(jar);
    session.rotate();
    await session.commit();
    const rotated = await driver.load(session.id);
    expect(rotated?.fields.get("/login")).toBe(before?.fields.get("/login"));
    expect(rotated?.fields.get("/login")).toMatch(/^1 - 1800000 - - - Anna\S+$/);
    session.login("ann");
    const { setCookie } = await session.commit();
    expect((await driver.load(session.id))?.fields.has("/login")).toBe(false);
    expect(session.expiresAt.getTime()).toBe(clock() + DAY);
    await (await sessions.open(cookieOf(setCookie))).logout();
    for (const { fields } of await driver.records()) expect(fields.has("/login")).toBe(false);
  });

  test("a field of a version that is not known is kept by rotate(), and asks for nothing", async () => {
    const { sessions, driver, jar, clock } = await loggedIn({ idle: "30m" });
    const { id } = await sessions.open(jar);
    await driver.commit(id, { fields: new Map([["/login", "2 new"]]) }, clock());
    const session = await sessions.open(jar);
    session.rotate();
    await session.commit();
    expect((await driver.load(session.id))?.fields.get("/login")).toBe("2 new");
    expect(session.expiresAt.getTime()).toBe(clock() + DAY);
  });

  test("a setting of the manager that became shorter acts at once", async () => {
    const { driver, clock, jar } = await loggedIn({ idle: "12h", absolute: "20d", maxAge: "10d" });
    const rotation = { every: "10m", grace: "2m" } as const;
    const settings = { driver, clock, idle: "1h", absolute: "2h", rotation } as const;
    const stricter = createSessionManager({ ...settings, cookie: { maxAge: "session" } });
    clock.advance(20 * MINUTE);
    const session = await stricter.open(jar);
    expect(session.expiresAt.getTime()).toBe(clock() - 20 * MINUTE + 2 * HOUR);
    const { setCookie } = await session.commit();
    expect(setCookie).toBeDefined();
    expect(maxAgeOf(setCookie)).toBeUndefined();
    clock.advance(100 * MINUTE);
    expect((await stricter.open(jar)).rejected).toBe("expired");
  });

  test("costs a login no call more, and a request none", async () => {
    const { sessions, driver, jar } = await loggedIn({ idle: "30m", label: "x" });
    await request(sessions, jar);
    expect(driver.counts()).toEqual({ load: 1 });
    await request(sessions, jar, (session) => session.login("ann", { idle: "1h", absolute: "1d" }));
    expect(driver.counts()).toEqual({ load: 1, create: 1, commit: 1 });
  });

  test("a login that is taken back leaves the life as it was", async () => {
    const { sessions, jar } = await loggedIn({ idle: "30m" });
    const session = await sessions.open(jar);
    const before = session.expiresAt;
    session.login("ben", { idle: "1m" });
    session.discard();
    expect(session.expiresAt).toEqual(before);
  });
});

test.each<[LoginOptions, SessionManagerOptions]>([
  [{ idle: "25h" }, {}],
  [{ absolute: "31d" }, {}],
  [{ maxAge: "31d" }, {}],
  [{ maxAge: "1s" }, { cookie: { maxAge: "session" } }],
  [{ label: "" }, {}],
  [{ label: "a\nb" }, {}],
  [{ label: "é".repeat(128) }, {}],
])("%o is a TypeError at login() under %o, and stages nothing", async (login, options) => {
  const session = setUp(options).sessions.create();
  await expect(thrownBy(() => session.login("ann", login))).resolves.toBeInstanceOf(TypeError);
  expect(session.principal).toBeUndefined();
});

test.each([{ idle: "soon" }, { maxAge: 0 }, { absolute: false }])("%o is no duration", async (login) => {
  const session = setUp().sessions.create();
  const error = await thrownBy(() => session.login("ann", login as LoginOptions));
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
});

test("exactly the manager's own settings are allowed", async () => {
  const session = setUp().sessions.create();
  session.login("ann", { idle: "24h", absolute: "30d", maxAge: "30d" });
  expect((await session.commit()).setCookie).toContain("Max-Age=2592000");
});

test("a process of an older version gives a short session the manager's life, so deploy everywhere first", async () => {
  const { sessions, driver, clock, jar } = await loggedIn({ idle: "30m", absolute: "2h" });
  // It knows no such field: it neither obeys nor repeats it.
  const older = createSessionManager({
    clock,
    driver: {
      ...driver,
      async load(id) {
        const record = await driver.load(id);
        return (
          record && { ...record, fields: new Map([...record.fields].filter(([name]) => name !== "/login")) }
        );
      },
    },
  });
  clock.advance(10 * MINUTE);
  const session = await older.open(jar);
  await session.commit();
  expect(session.expiresAt.getTime()).toBe(clock() + DAY);
  // This version goes by its own absolute timeout again, whatever expiry it finds.
  expect((await sessions.open(jar)).expiresAt.getTime()).toBe(clock() - 10 * MINUTE + 2 * HOUR);
  session.rotate();
  await session.commit();
  expect(session.expiresAt.getTime()).toBe(clock() + DAY);
  expect((await driver.load(session.id))?.fields.has("/login")).toBe(false);
});

test("whatever uses, rotations and pauses a session has, it lives by its own timeouts to the millisecond", async () => {
  const step = fc.oneof(fc.constantFrom("read", "write", "rotate"), fc.integer({ min: 1, max: 40 * MINUTE }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (steps, minutes, hours) => {
        const idle = minutes * MINUTE;
        const { sessions, clock, jar: first } = await loggedIn({ idle, absolute: hours * HOUR });
        const end = clock() + hours * HOUR;
        let jar: string | undefined = first;
        let used = clock();
        for (const one of steps) {
          if (typeof one === "number") clock.advance(one);
          else {
            const session = await sessions.open(jar);
            const isLive = session.principal === "ann";
            // A read may leave the expiry as it is for a tenth of the idle timeout, a write for a second.
            if (isLive) expect(clock()).toBeLessThan(Math.min(used + idle, end));
            else {
              expect(clock()).toBeGreaterThanOrEqual(
                Math.min(used + idle - Math.max(idle / 10, SECOND), end),
              );
              return;
            }
            if (one === "write") session.store("s").set("n", clock());
            if (one === "rotate") session.rotate();
            jar = cookieOf((await session.commit()).setCookie, jar);
            used = clock();
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
