import { expect, test } from "vitest";
import { cookieFrom, DAY, HOUR, MINUTE, request, setUp, stored, thrownBy } from "./support.ts";

const loggedIn = async () => {
  const world = setUp();
  const jar = await stored(world.sessions, (session) => session.login("ann", { idle: "1h", label: "phone" }));
  world.driver.counts();
  return { ...world, jar };
};

test("a login proves who the user is, and its proof ages to the millisecond", async () => {
  const { sessions, clock, jar } = await loggedIn();
  const at = clock();
  clock.advance(10 * MINUTE - 1);
  const session = await sessions.open(jar);
  expect(session.authenticatedAt?.getTime()).toBe(at);
  expect(session.authenticatedWithin("10m")).toBe(true);
  clock.advance(1);
  expect(session.authenticatedWithin("10m")).toBe(false);
  expect(session.authenticatedWithin(10 * MINUTE + 1)).toBe(true);
});

test("reauthenticate() gives a new id and secret, keeps all else, and costs what rotate() costs", async () => {
  const { sessions, driver, clock, jar } = await loggedIn();
  clock.advance(30 * MINUTE);
  const session = await sessions.open(jar);
  const { id, createdAt } = session;
  session.reauthenticate();
  expect(session.authenticatedWithin("1m")).toBe(true);
  const next = cookieFrom(await session.commit());
  expect(driver.counts()).toEqual({ load: 1, create: 1, commit: 1 });
  const again = await sessions.open(next);
  expect([again.principal, again.createdAt]).toEqual(["ann", createdAt]);
  expect(again.id).not.toBe(id);
  expect(again.authenticatedAt?.getTime()).toBe(clock());
  expect((await driver.load(again.id))?.fields.get("/login")).toMatch(/^1 \d+ 3600000 - - - phone$/);
  expect((await sessions.open(jar)).principal).toBeUndefined();
});

test("rotate(), before or after it in a request, later and by the clock, leaves the proof as it is", async () => {
  const { sessions, clock, jar: first } = await loggedIn();
  clock.advance(30 * MINUTE);
  const at = clock();
  let jar = cookieFrom(
    await request(sessions, first, (session) => {
      session.rotate();
      session.reauthenticate();
      session.rotate();
    }),
  );
  for (let turn = 0; turn < 3; turn++) {
    clock.advance(20 * MINUTE);
    jar = cookieFrom(await request(sessions, jar, (session) => session.rotate()));
    expect((await sessions.open(jar)).authenticatedAt?.getTime()).toBe(at);
  }
});

test("an absolute timeout counts from the login, whatever was proved since; another login begins it anew", async () => {
  const { sessions, clock } = setUp({ idle: "1d", absolute: "1d" });
  const jar = await stored(sessions, (session) => session.login("ann"));
  const end = clock() + DAY;
  clock.advance(23 * HOUR);
  const session = await sessions.open(jar);
  session.reauthenticate();
  await session.commit();
  expect(session.expiresAt.getTime()).toBe(end);
  session.login("ann");
  await session.commit();
  expect(session.expiresAt.getTime()).toBe(clock() + DAY);
  expect(session.authenticatedAt?.getTime()).toBe(clock());
});

test("destroyAll() ends a session that reauthenticates during it", async () => {
  const { sessions, clock, jar } = await loggedIn();
  clock.advance(10 * MINUTE);
  const [inFlight, count] = [await sessions.open(jar), sessions.destroyAll({ principal: "ann" })];
  inFlight.reauthenticate();
  const { setCookie } = await inFlight.commit();
  await count;
  expect((await sessions.open(setCookie?.split(";")[0] ?? jar)).principal).toBeUndefined();
});

test("a guest is never fresh, and cannot reauthenticate", async () => {
  const { sessions, clock } = setUp();
  const jar = await stored(sessions);
  for (const session of [sessions.create(), await sessions.open(jar), await sessions.open(undefined)]) {
    expect([session.authenticatedAt, session.authenticatedWithin("1d")]).toEqual([undefined, false]);
    expect(await thrownBy(() => session.reauthenticate())).toBeInstanceOf(TypeError);
  }
  const session = await sessions.open(jar);
  session.login("ann");
  expect(session.authenticatedWithin("1m")).toBe(true);
  clock.advance(1);
  await session.logout();
  expect(session.authenticatedWithin("1m")).toBe(false);
});

test("a session of get() tells its freshness, and cannot reauthenticate", async () => {
  const { sessions, jar } = await loggedIn();
  const session = await sessions.get((await sessions.open(jar)).id);
  expect(session?.authenticatedWithin("1m")).toBe(true);
  expect(await thrownBy(() => session?.reauthenticate())).toBeInstanceOf(TypeError);
});

test("what is taken back, or dropped by an error, proves nothing", async () => {
  const { sessions, clock, jar } = await loggedIn();
  clock.advance(30 * MINUTE);
  const session = await sessions.open(jar);
  session.reauthenticate();
  session.discard();
  expect(session.authenticatedWithin("10m")).toBe(false);
  expect((await session.commit()).setCookie).toBeUndefined();
});

test("no duration is no span", async () => {
  const session = setUp().sessions.create();
  session.login("ann");
  const error = await thrownBy(() => session.authenticatedWithin("soon" as "1m"));
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
});
