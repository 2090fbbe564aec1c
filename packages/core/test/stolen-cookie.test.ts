import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionManager } from "../src/index.ts";
import { cookieOf, HOUR, MINUTE, testClock } from "./support.ts";

const GRACE = 2 * MINUTE;
const EVERY = 10 * MINUTE;

function loggedIn(onReuse: "destroy" | "report" = "destroy") {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const sessions = createSessionManager({
    clock: time.clock,
    rotation: { every: EVERY, grace: GRACE, onReuse },
  });
  const reused: string[] = [];
  sessions.on("reused", ({ id }) => reused.push(id));
  return {
    ...time,
    sessions,
    reused,
    async login(principal = "alice") {
      const session = await sessions.open(undefined);
      session.login(principal);
      return cookieOf((await session.commit()).setCookie);
    },
    /** One whole request; answers the jar afterwards, and whom it was logged in as. */
    async visit(jar: string | undefined, delivered = true) {
      const session = await sessions.open(jar);
      const { setCookie } = await session.commit({ seal: true });
      return {
        principal: session.principal,
        rejected: session.rejected,
        jar: delivered ? cookieOf(setCookie, jar) : jar,
      };
    },
  };
}

test("a thief who goes on using a copied cookie is found out, whoever of the two comes first and however often", async () => {
  const visit = fc.record({
    who: fc.constantFrom("user" as const, "thief" as const),
    after: fc.integer({ min: 0, max: 15 * MINUTE }),
    delivered: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(visit, { maxLength: 12 }),
      fc.array(visit, { maxLength: 30 }),
      async (before, after) => {
        const { sessions, reused, pass, login, visit } = loggedIn();
        const jars = { user: await login(), thief: undefined as string | undefined };
        for (const step of before) {
          pass(step.after);
          jars.user = (await visit(jars.user)).jar;
        }
        expect(reused).toEqual([]);
        jars.thief = jars.user;
        for (const step of after) {
          pass(step.after);
          jars[step.who] = (await visit(jars[step.who], step.delivered)).jar;
        }
        // Both go on: within a few rotations one of them comes with a generation that has ended.
        for (let round = 0; round < 6 && reused.length === 0; round++) {
          for (const who of ["user", "thief"] as const) {
            pass(GRACE);
            jars[who] = (await visit(jars[who])).jar;
          }
          pass(EVERY);
        }
        expect(reused).toHaveLength(1);
        for (const jar of [jars.user, jars.thief])
          expect((await sessions.open(jar)).principal).toBeUndefined();
      },
    ),
    { numRuns: 300 },
  );
});

test("a copied cookie is worth nothing after a login, a rotate() or a logout, and a request in flight with it neither", async () => {
  for (const how of ["login", "rotate", "logout"] as const) {
    const { sessions, reused, pass, login } = loggedIn();
    const stolen = await login();
    const inFlight = await sessions.open(stolen);
    const own = await sessions.open(stolen);
    if (how === "login") own.login("alice");
    if (how === "rotate") own.rotate();
    if (how === "logout") await own.logout();
    await own.commit();

    inFlight.store("data").set("planted", true);
    const late = await inFlight.commit();
    expect([how, late.status, late.setCookie]).toEqual([how, "gone", undefined]);
    for (const wait of [0, MINUTE, 10 * MINUTE]) {
      pass(wait);
      const thief = await sessions.open(stolen);
      expect([how, thief.principal, thief.storeNames()]).toEqual([how, undefined, []]);
    }
    expect(reused).toEqual([]);
  }
});

test("seven lost responses in a row log nobody out; after the eighth the old generation ends", async () => {
  const { pass, login, visit, reused } = loggedIn();
  const jar = await login();
  pass(EVERY);
  for (let lost = 0; lost < 8; lost++) {
    expect((await visit(jar, false)).principal).toBe("alice");
    pass(GRACE);
  }
  expect(await visit(jar)).toMatchObject({ principal: undefined, rejected: "reused" });
  expect(reused).toHaveLength(1);
});

test("at most one new generation is handed out in a grace while none comes back", async () => {
  const { pass, login, sessions } = loggedIn();
  const jar = await login();
  pass(EVERY - 1);
  const sends = async () => (await (await sessions.open(jar)).commit()).setCookie !== undefined;
  expect(await sends()).toBe(false);
  pass(1);
  expect(await sends()).toBe(true);
  expect(await sends()).toBe(false);
  pass(GRACE - 1);
  expect(await sends()).toBe(false);
  pass(1);
  expect(await sends()).toBe(true);
});

test("the old generation ends when the new one comes again a grace after it first came, and not before", async () => {
  const { pass, login, visit } = loggedIn();
  const old = await login();
  pass(EVERY);
  const { jar } = await visit(old);
  expect(jar).not.toBe(old);
  pass(HOUR);
  expect((await visit(old)).principal).toBe("alice");
  await visit(jar);
  pass(GRACE - 1);
  await visit(jar);
  expect((await visit(old)).principal).toBe("alice");
  pass(1);
  await visit(jar);
  expect((await visit(old)).rejected).toBe("reused");
});

test("a second new generation that is still on its way stays good when the first is confirmed", async () => {
  const { pass, login, visit, sessions, reused } = loggedIn();
  const old = await login();
  pass(EVERY);
  const first = (await visit(old)).jar;
  // Sent with the old generation just before the first response came, this request arrives a grace after that was made.
  pass(GRACE);
  const second = (await visit(old)).jar;
  pass(1);
  await visit(first);
  // Sent with the first generation just before the second response came.
  pass(GRACE);
  await visit(first);
  expect(new Set([old, first, second]).size).toBe(3);
  expect((await sessions.open(second)).principal).toBe("alice");
  expect(reused).toEqual([]);
});

test("of parallel requests that find rotation due one hands out a generation, and all are good", async () => {
  const { pass, login, sessions, visit } = loggedIn();
  const jar = await login();
  pass(EVERY);
  const requests = await Promise.all(Array.from({ length: 10 }, () => sessions.open(jar)));
  for (const [index, session] of requests.entries()) session.store("data").set(`key ${index}`, index);
  const results = await Promise.all(requests.map((session) => session.commit()));
  expect(results.map(({ status }) => status)).toEqual(Array(10).fill("committed"));
  const cookies = results.flatMap(({ setCookie }) => setCookie ?? []);
  expect(cookies).toHaveLength(1);
  const after = await sessions.open(cookieOf(cookies[0]));
  expect([after.principal, after.store("data").size]).toEqual(["alice", 10]);
  expect((await visit(jar)).principal).toBe("alice");
});

test("onReuse: report keeps the session, and tells", async () => {
  const { pass, login, visit, reused } = loggedIn("report");
  const stolen = await login();
  pass(EVERY);
  const { jar } = await visit(stolen);
  await visit(jar);
  pass(GRACE);
  await visit(jar);
  expect(await visit(stolen)).toMatchObject({ principal: undefined, rejected: "reused" });
  expect((await visit(jar)).principal).toBe("alice");
  expect(reused).toHaveLength(1);
});

test("a token of a wrong family is unknown, accuses nobody and ends nothing", async () => {
  const { pass, login, visit, reused } = loggedIn();
  const jar = await login();
  pass(EVERY);
  const [name, id] = /^(.*)=([0-9a-f]{32})/.exec(jar ?? "")?.slice(1) ?? [];
  const forged = `${name}=${id}.${"A".repeat(43)}`;
  expect((await visit(forged)).rejected).toBe("unknown");
  expect((await visit(jar)).principal).toBe("alice");
  expect(reused).toEqual([]);
});

test("a session without a principal is not rotated, nor one that was opened by id", async () => {
  const { sessions, pass } = loggedIn();
  const first = await sessions.open(undefined);
  first.store("data").set("a", 1);
  const jar = cookieOf((await first.commit()).setCookie);
  pass(EVERY);
  expect((await (await sessions.open(jar)).commit()).setCookie).toBeUndefined();

  const member = await sessions.open(undefined);
  member.login("alice");
  await member.commit();
  pass(EVERY);
  const byId = await sessions.get(member.id);
  byId?.store("data").set("a", 2);
  expect(await byId?.commit()).toEqual({
    status: "committed",
    token: undefined,
    setCookie: undefined,
    cookie: undefined,
  });
});
