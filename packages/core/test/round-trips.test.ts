import { expect, test } from "vitest";
import { createSessionManager } from "../src/index.ts";
import { cookieOf, HOUR, spyDriver, testClock } from "./support.ts";

/* The promise: one read, at most one write a request; nothing at all for a visitor who writes nothing. */

async function setUp() {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const driver = spyDriver();
  const { counts } = driver;
  const sessions = createSessionManager({ driver, clock: time.clock });
  const first = await sessions.open(undefined);
  first.store("cart").set("items", [1, 2, 3]);
  const jar = cookieOf((await first.commit()).setCookie);
  return { ...time, sessions, jar, counts };
}

test("a visitor without a cookie who writes nothing costs nothing, and gets no cookie", async () => {
  const { sessions, counts } = await setUp();
  counts();
  for (const header of [undefined, null, "", "other=1; theme=dark"]) {
    const session = await sessions.open(header);
    expect([
      session.isNew,
      session.store("cart").get("items"),
      session.store("cart").delete("items"),
    ]).toEqual([true, undefined, false]);
    expect(await session.commit({ seal: true })).toEqual({
      status: "unchanged",
      token: undefined,
      setCookie: undefined,
      cookie: undefined,
    });
  }
  expect(counts()).toEqual({});
});

test("the first write costs one write", async () => {
  const { counts } = await setUp();
  expect(counts()).toEqual({ create: 1 });
});

test("a read costs one read", async () => {
  const { sessions, jar, counts } = await setUp();
  counts();
  const session = await sessions.open(jar);
  expect(session.store("cart").get("items")).toEqual([1, 2, 3]);
  await session.commit();
  await session.commit({ seal: true });
  expect(counts()).toEqual({ load: 1 });
});

test("any number of writes, an update and a touch cost one read and one write, of what changed", async () => {
  const { sessions, jar, counts, pass } = await setUp();
  pass(HOUR);
  counts();
  const session = await sessions.open(jar);
  for (let n = 0; n < 50; n++) session.store("forum").set(`draft ${n}`, n);
  session.store("cart").update("items", () => [4]);
  await session.commit({ seal: true });
  await session.commit();
  expect(counts()).toEqual({ load: 1, commit: 1 });
});

test("the commit after the headers went out touches nothing again", async () => {
  const clock = testClock();
  const pass = clock.advance;
  const driver = spyDriver();
  const { counts } = driver;
  const sessions = createSessionManager({ driver, clock, touchEvery: 0 });
  const { setCookie } = await sessions.create().commit();
  pass(1);
  counts();
  const session = await sessions.open(cookieOf(setCookie));
  await session.commit({ seal: true });
  pass(1);
  await session.commit();
  expect(counts()).toEqual({ load: 1, commit: 1 });
});

test("writing what is there already costs nothing", async () => {
  const { sessions, jar, counts } = await setUp();
  counts();
  const session = await sessions.open(jar);
  session.store("cart").set("items", [1, 2, 3]);
  session.store("cart").update("items", (items) => items);
  expect((await session.commit()).status).toBe("unchanged");
  expect(counts()).toEqual({ load: 1 });
});
