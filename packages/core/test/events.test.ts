import { expect, test, vi } from "vitest";
import { createSessionManager, type SessionEvents } from "../src/index.ts";
import { cookieOf, MINUTE, testClock } from "./support.ts";

function setUp() {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const sessions = createSessionManager({ clock: time.clock, rotation: { every: "10m", grace: "2m" } });
  const events: [string, SessionEvents[keyof SessionEvents]][] = [];
  const names = ["created", "rotated", "destroyed", "expired", "rejected", "reused", "gone"] as const;
  for (const name of [...names, "swept", "error"] as const)
    sessions.on(name, (event) => events.push([name, event]));
  return { ...time, sessions, told: () => events.splice(0) };
}

test("each step of a session's life is told once, with ids and principals, and after it happened", async () => {
  const { sessions, told, pass } = setUp();
  const guest = await sessions.open(undefined);
  guest.store("data").set("a", 1);
  expect(told()).toEqual([]);
  const jar = cookieOf((await guest.commit()).setCookie);
  expect(told()).toEqual([["created", { id: guest.id, principal: undefined }]]);

  const session = await sessions.open(jar);
  const inFlight = await sessions.open(jar);
  session.login("alice");
  let member = cookieOf((await session.commit()).setCookie);
  const { id } = session;
  expect(told()).toEqual([["rotated", { id, previousId: guest.id, principal: "alice", reason: "login" }]]);

  inFlight.store("data").set("b", 1);
  await inFlight.commit();
  await inFlight.commit();
  expect(told()).toEqual([["gone", { id: guest.id, principal: undefined }]]);

  pass(10 * MINUTE);
  const periodic = await sessions.open(member);
  const old = member;
  member = cookieOf((await periodic.commit()).setCookie);
  expect(told()).toEqual([["rotated", { id, previousId: id, principal: "alice", reason: "periodic" }]]);
  await (await sessions.open(member)).commit();
  pass(2 * MINUTE);
  await (await sessions.open(member)).commit();
  expect(told()).toEqual([]);
  await sessions.open(old);
  expect(told()).toEqual([
    ["reused", { id, principal: "alice" }],
    ["destroyed", { id, principal: "alice", reason: "reused" }],
    ["rejected", { reason: "reused" }],
  ]);

  const bob = await sessions.open(undefined);
  bob.login("bob");
  await bob.commit();
  bob.rotate();
  await bob.commit();
  await bob.logout();
  const names = told().map(([name, event]) => [name, "reason" in event ? event.reason : undefined]);
  expect(names).toEqual([
    ["created", undefined],
    ["rotated", "rotate"],
    ["destroyed", "logout"],
  ]);
  const carol = sessions.create();
  await carol.commit();
  told();
  await sessions.destroy(carol.id);
  expect(told()).toEqual([["destroyed", { id: carol.id, principal: undefined, reason: "admin" }]]);
});

test("a token that is not accepted is told once a request with its reason, and an expired session with its user", async () => {
  const { sessions, told, pass } = setUp();
  const session = sessions.create();
  session.login("alice");
  const { token = "", setCookie } = await session.commit();
  const jar = cookieOf(setCookie);
  const [id = "", secret] = token.split(".");
  told();
  await sessions.open(jar);
  await sessions.open(`sid=x; ${jar}`);
  await sessions.open("theme=dark");
  expect(told()).toEqual([]);

  const forged = `${id.replace(/^./, (first) => (first === "0" ? "1" : "0"))}.${secret}`;
  await sessions.open(`sid=x; sid=${forged}`);
  expect(told()).toEqual([["rejected", { reason: "unknown" }]]);
  await sessions.load("x");
  expect(told()).toEqual([["rejected", { reason: "malformed" }]]);

  pass(25 * 60 * MINUTE);
  await sessions.open(jar);
  await sessions.load(token);
  const expired = ["expired", { id, principal: "alice" }];
  expect(told()).toEqual([
    expired,
    ["rejected", { reason: "expired" }],
    expired,
    ["rejected", { reason: "expired" }],
  ]);
});

test("what ended by a logout has not expired, however late its cookie comes", async () => {
  const { sessions, told, pass } = setUp();
  const session = sessions.create();
  session.login("alice");
  const jar = cookieOf((await session.commit()).setCookie);
  await session.logout();
  told();
  for (const minutes of [0, 3]) {
    pass(minutes * MINUTE);
    await sessions.open(jar);
    expect(told()).toEqual([["rejected", { reason: "expired" }]]);
  }
});

test("a listener can follow a session by its ids, through logins and rotate() that overlap", async () => {
  const { sessions } = setUp();
  const next = new Map<string, string>();
  sessions.on("rotated", ({ id, previousId }) => {
    if (id !== previousId) next.set(previousId, id);
  });
  const guest = sessions.create();
  let jar = cookieOf((await guest.commit()).setCookie);
  for (const kind of ["login", "rotate", "reauthenticate", "login"] as const) {
    const [one, other] = [await sessions.open(jar), await sessions.open(jar)];
    for (const session of [one, other])
      if (kind === "login") session.login("alice");
      else session[kind]();
    const results = await Promise.all([one.commit(), other.commit()]);
    // Of two logins the later one follows the earlier one's id, or nothing; the browser keeps a live one.
    for (const { setCookie } of results) {
      const jarred = cookieOf(setCookie, jar);
      if ((await sessions.open(jarred, { touch: false })).principal === "alice") jar = jarred;
    }
    expect(next.size).toBeGreaterThan(0);
  }
  for (const id of next.keys()) expect(await sessions.valid(id)).toBe(false);
});

test("a listener that fails harms neither the request nor the other listeners", async () => {
  const { sessions, told } = setUp();
  const error = new Error("listener");
  sessions.on("created", () => {
    throw error;
  });
  // The type asks for nothing back, and nothing stops an async function.
  sessions.on("created", async () => {
    throw error;
  });
  const session = sessions.create();
  expect((await session.commit()).status).toBe("committed");
  await Promise.resolve();
  const failures = told().filter(([name]) => name === "error");
  expect(failures).toEqual([
    ["error", { error, during: "listener" }],
    ["error", { error, during: "listener" }],
  ]);
});

test("a failure that nobody listens for is a warning of the process, and so is a failing error listener's", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    const sessions = createSessionManager();
    const error = new Error("listener");
    sessions.on("created", () => {
      throw error;
    });
    await sessions.create().commit();
    expect(warn).toHaveBeenCalledTimes(1);
    const worse = new Error("error listener");
    sessions.on("error", () => {
      throw worse;
    });
    await sessions.create().commit();
    expect(warn).toHaveBeenLastCalledWith(worse);
  } finally {
    warn.mockRestore();
  }
});

test("what on() answers removes the listener; an unknown event is a TypeError", async () => {
  const { sessions } = setUp();
  let told = 0;
  const off = sessions.on("created", () => told++);
  await sessions.create().commit();
  off();
  off();
  await sessions.create().commit();
  expect(told).toBe(1);
  // @ts-expect-error: no such event
  expect(() => sessions.on("closed", () => {})).toThrow(TypeError);
});
