import { expect, test } from "vitest";
import { createSessionManager, type Session, type SessionInfo, type SessionManager } from "../src/index.ts";
import { cookieFrom, HOUR, MINUTE, setUp, stored, thrownBy } from "./support.ts";

const ALL = { lastSeen: true, userAgent: true, ip: true } as const;
const device = { userAgent: "Mozilla/5.0 (X11; Linux x86_64) Ünïcode", ip: "203.0.113.77" };

async function infoOf(sessions: SessionManager): Promise<SessionInfo> {
  const infos: SessionInfo[] = [];
  for await (const info of sessions.list()) infos.push(info);
  expect(infos).toHaveLength(1);
  return infos[0] as SessionInfo;
}

/** One request of a device. */
async function visit(
  sessions: SessionManager,
  jar: string | undefined,
  use: (session: Session) => void = () => {},
  options: Parameters<SessionManager["open"]>[1] = { device },
) {
  const session = await sessions.open(jar, options);
  use(session);
  return session.commit();
}

const login = async (sessions: SessionManager): Promise<string> =>
  cookieFrom(await visit(sessions, undefined, (session) => session.login("ann", { label: "Ann’s phone" })));

test("a login is listed with its device, its label, and when its user was last there and last proved to be it", async () => {
  const { sessions, clock } = setUp({ metadata: ALL });
  const at = new Date(clock());
  const jar = await login(sessions);
  expect(await infoOf(sessions)).toMatchObject({
    ...device,
    label: "Ann’s phone",
    authenticatedAt: at,
    lastSeenAt: at,
  });
  clock.advance(HOUR);
  const next = { userAgent: "Mozilla/6.0", ip: "2001:db8::1" };
  const rotated = cookieFrom(
    await visit(sessions, jar, (session) => session.reauthenticate(), { device: next }),
  );
  const now = new Date(clock());
  expect(await infoOf(sessions)).toMatchObject({
    ...next,
    label: "Ann’s phone",
    authenticatedAt: now,
    lastSeenAt: now,
    createdAt: at,
  });
  await (await sessions.open(rotated)).logout();
  expect((await sessions.list().next()).done).toBe(true);
});

test("by default nothing of a request is kept, and no field is written", async () => {
  const { sessions, driver } = setUp();
  await login(sessions);
  const { lastSeenAt, userAgent, ip } = await infoOf(sessions);
  expect([lastSeenAt, userAgent, ip]).toEqual([undefined, undefined, undefined]);
  for (const { fields } of await driver.records()) expect(fields.has("/meta")).toBe(false);
});

test.each([
  [{ lastSeen: true }, { lastSeenAt: expect.any(Date), userAgent: undefined, ip: undefined }],
  [{ userAgent: true }, { lastSeenAt: undefined, userAgent: device.userAgent, ip: undefined }],
  [
    { ip: true, userAgent: false },
    { lastSeenAt: undefined, userAgent: undefined, ip: device.ip },
  ],
])("only what was asked for is kept: %j", async (metadata, expected) => {
  const { sessions } = setUp({ metadata });
  await login(sessions);
  expect(await infoOf(sessions)).toMatchObject(expected);
});

test.each([
  ["203.0.113.77", "203.0.113.0"],
  ["::ffff:203.0.113.77", "::ffff:203.0.113.0"],
  ["2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3::"],
  ["2001:db8:85a3::7348", "2001:db8:85a3::"],
  ["2001:db8::7348", "2001:db8::"],
  ["::1", "::"],
  [undefined, undefined],
])("the address %s is shortened to %s", async (ip, expected) => {
  const { sessions } = setUp({ metadata: { ip: "shortened" } });
  await visit(sessions, undefined, (session) => session.login("ann"), { device: { ip } });
  expect((await infoOf(sessions)).ip).toBe(expected);
});

test("it moves along with a touch, in the same commit, and is never a write of its own", async () => {
  const { sessions, clock, driver } = setUp({ metadata: ALL, touchEvery: "5m" });
  const jar = await login(sessions);
  const other = { userAgent: "Other", ip: "203.0.113.78" };
  clock.advance(5 * MINUTE - 1);
  driver.counts();
  await visit(sessions, jar, () => {}, { device: other });
  expect(driver.counts()).toEqual({ load: 1 });
  expect(await infoOf(sessions)).toMatchObject(device);
  clock.advance(1);
  driver.counts();
  await visit(sessions, jar, () => {}, { device: other });
  expect(driver.counts()).toEqual({ load: 1, commit: 1 });
  expect(await infoOf(sessions)).toMatchObject({ ...other, lastSeenAt: new Date(clock()) });
  clock.advance(MINUTE);
  driver.counts();
  await visit(sessions, jar, (session) => session.store("s").set("k", 1));
  expect(driver.counts()).toEqual({ load: 1, commit: 1 });
  expect(await infoOf(sessions)).toMatchObject({ ...device, lastSeenAt: new Date(clock()) });
});

test("neither a request with touch: false nor a session with a fixed expiry moves it", async () => {
  const { sessions, clock } = setUp({ metadata: ALL });
  const jar = await login(sessions);
  const before = await infoOf(sessions);
  clock.advance(HOUR);
  await visit(sessions, jar, (session) => session.store("s").set("k", 1), { touch: false });
  expect((await infoOf(sessions)).lastSeenAt).toEqual(before.lastSeenAt);
  await sessions.setExpiry(before.id, new Date(clock() + HOUR));
  await visit(sessions, jar, (session) => session.store("s").set("k", 2));
  expect((await infoOf(sessions)).lastSeenAt).toEqual(before.lastSeenAt);
});

test("two touches at once leave one of them whole, and lose no data", async () => {
  const { sessions, clock } = setUp({ metadata: ALL });
  const jar = await login(sessions);
  clock.advance(HOUR);
  const devices = ["a", "b"].map((name) => ({ userAgent: name, ip: name }));
  const opened = await Promise.all(devices.map((one) => sessions.open(jar, { device: one })));
  await Promise.all(
    opened.map((session, n) => {
      session.store("s").set(String(n), n);
      return session.commit();
    }),
  );
  const { ip, userAgent } = await infoOf(sessions);
  expect(userAgent).toBe(ip);
  expect((await sessions.open(jar)).store("s").size).toBe(2);
});

test("what a client says of itself is cut, whatever it is, and never breaks a listing", async () => {
  for (const userAgent of ["x".repeat(10_000), "😀".repeat(200), "\ud800", "%zz /1 2\t|", "-", ""]) {
    const { sessions } = setUp({ metadata: ALL });
    await visit(sessions, undefined, (session) => session.login("ann"), { device: { userAgent } });
    const kept = (await infoOf(sessions)).userAgent ?? "";
    expect(kept.length).toBeLessThanOrEqual(256);
    expect(userAgent.toWellFormed().startsWith(kept.replace(/\ufffd$/, ""))).toBe(true);
  }
});

test("stored bytes that this library did not write break no listing", async () => {
  const { sessions, driver, clock } = setUp({ metadata: ALL });
  await login(sessions);
  const { id } = await infoOf(sessions);
  for (const meta of ["2 a b c", "1 x %zz %ff", "", "1"]) {
    const fields = new Map([
      ["/meta", meta],
      ["/login", "1 - - - - - %zz"],
    ]);
    await driver.commit(id, { fields }, clock());
    const { userAgent, ip, label } = await infoOf(sessions);
    expect([userAgent, ip, label]).toEqual([undefined, undefined, undefined]);
  }
});

test("a guest has no proof and no label, and is seen all the same", async () => {
  const { sessions, clock } = setUp({ metadata: ALL });
  await visit(sessions, undefined, (session) => session.store("s").set("k", 1));
  const seen = { authenticatedAt: undefined, label: undefined, lastSeenAt: new Date(clock()), ...device };
  expect(await infoOf(sessions)).toMatchObject(seen);
});

test("destroyAll() with a label ends the sessions of that label alone, those that rotate included", async () => {
  const { sessions, driver, clock } = setUp();
  const [phone, laptop, none] = [
    await stored(sessions, (session) => session.login("ann", { label: "phone" })),
    await stored(sessions, (session) => session.login("ann", { label: "laptop" })),
    await stored(sessions, (session) => session.login("ann")),
  ];
  const other = await stored(sessions, (session) => session.login("ben", { label: "phone" }));
  const rotated = cookieFrom(await visit(sessions, phone, (session) => session.rotate()));
  expect(await sessions.destroyAll({ principal: "ann", label: "phone" })).toBe(1);
  expect(await sessions.destroyAll({ principal: "ann", label: "phone" })).toBe(0);
  const open = await Promise.all([rotated, laptop, none, other].map((jar) => sessions.open(jar)));
  expect(open.map(({ principal }) => principal)).toEqual([undefined, "ann", "ann", "ben"]);
  const error = await thrownBy(() => sessions.destroyAll({ principal: "ann", label: undefined as never }));
  expect(error).toBeInstanceOf(TypeError);
  expect((await createSessionManager({ driver, clock }).open(laptop)).principal).toBe("ann");
});
