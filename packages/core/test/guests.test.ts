import { expect, test } from "vitest";
import { createSessionManager } from "../src/index.ts";
import { cookieFrom, DAY, HOUR, MINUTE, request, setUp, spyDriver, stored, testClock } from "./support.ts";

const big = (length: number) => "x".repeat(length);

test("a guest's session expires after the guests' idle timeout; a login lifts it, and a logout brings it back", async () => {
  const { sessions, clock } = setUp({ idle: "1d", anonymous: { idle: "1h" } });
  const guest = await stored(sessions, (session) => void session.store("cart").set("a", 1));
  const session = await sessions.open(guest);
  expect(session.expiresAt.getTime()).toBe(clock() + HOUR);
  session.login("ann");
  expect(session.expiresAt.getTime()).toBe(clock() + DAY);
  const jar = cookieFrom(await session.commit());
  expect((await sessions.open(jar)).expiresAt.getTime()).toBe(clock() + DAY);
  await session.logout();
  session.store("cart").set("a", 2);
  const next = cookieFrom(await session.commit());
  clock.advance(HOUR);
  expect((await sessions.open(next)).rejected).toBe("expired");
});

test("a guest who comes back in time stays, whatever touchEvery the manager has, and looking costs a touch at most", async () => {
  const { sessions, clock, driver } = setUp({ idle: "1d", touchEvery: "6h", anonymous: { idle: "10m" } });
  const guest = await stored(sessions, (session) => void session.store("cart").set("a", 1));
  driver.counts();
  for (let visit = 0; visit < 10; visit++) {
    clock.advance(9 * MINUTE);
    await request(sessions, guest);
    expect(driver.counts()).toEqual({ load: 1, commit: 1 });
    await request(sessions, guest);
    expect(driver.counts()).toEqual({ load: 1 });
  }
  await request(sessions, undefined);
  expect(driver.counts()).toEqual({});
});

test("a lower setting moves no expiry back, and acts from the next use on", async () => {
  const { sessions, clock, driver } = setUp();
  const guest = await stored(sessions);
  const end = clock() + DAY;
  const lower = createSessionManager({ driver, clock, anonymous: { idle: "1h" } });
  await request(lower, guest, (session) => void session.store("cart").set("a", 1));
  expect((await lower.open(guest)).expiresAt.getTime()).toBe(end);
  clock.advance(DAY - MINUTE);
  await request(lower, guest);
  expect((await lower.open(guest)).expiresAt.getTime()).toBe(clock() + HOUR);
});

test("a guest's session holds as much as a guest's may, and a login's as much as a user's", async () => {
  const { sessions } = setUp({ anonymous: { maxBytes: 1000 } });
  const guest = await stored(sessions, (session) => void session.store("cart").set("a", big(500)));
  const grow = request(sessions, guest, (session) => void session.store("cart").set("b", big(500)));
  await expect(grow).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
  // What the record will be is judged: the same write fits beside a login.
  const jar = cookieFrom(
    await request(sessions, guest, (session) => {
      session.store("cart").set("b", big(500));
      session.login("ann");
    }),
  );
  await request(sessions, jar, (session) => void session.store("cart").set("c", big(5000)));
  expect((await sessions.open(jar)).store("cart").size).toBe(3);
});

test("a guest's session that is too large already may shrink", async () => {
  const { sessions, clock, driver } = setUp();
  const guest = await stored(sessions, (session) => void session.store("cart").set("a", big(5000)));
  const lower = createSessionManager({ driver, clock, anonymous: { maxBytes: 1000 } });
  const { status } = await request(lower, guest, (session) => void session.store("cart").set("a", big(4000)));
  expect(status).toBe("committed");
  const grow = request(lower, guest, (session) => void session.store("cart").set("a", big(4001)));
  await expect(grow).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
});

test("a guest's limit holds for requests that overlap", async () => {
  const driver = spyDriver({}, undefined, () => new Promise((resolve) => void setImmediate(resolve)));
  const limit = 10_000;
  const sessions = createSessionManager({ driver, clock: testClock(), anonymous: { maxBytes: limit } });
  const guest = await stored(sessions);
  const opened = await Promise.all(Array.from({ length: 60 }, () => sessions.open(guest)));
  const outcomes = await Promise.allSettled(
    opened.map((session, n) => {
      session.store("cart").set(String(n), big(500));
      return session.commit();
    }),
  );
  expect(outcomes.filter(({ status }) => status === "rejected")).not.toEqual([]);
  const { size } = (await sessions.open(guest)).store("cart");
  expect(size * 600).toBeLessThanOrEqual(limit);
});

test("the limits are the manager's by default, and never more than the driver's", async () => {
  const driver = Object.assign(spyDriver(), { maxRecordBytes: 1000 });
  const sessions = createSessionManager({ driver, clock: testClock(), maxBytes: 5000 });
  const grow = request(sessions, undefined, (session) => void session.store("cart").set("a", big(1000)));
  await expect(grow).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
});
