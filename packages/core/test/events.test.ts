import { expect, test, vi } from "vitest";
import { createSessionManager, type SessionEvents } from "../src/index.ts";
import { cookieOf, MINUTE, testClock } from "./support.ts";

function setUp() {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  const sessions = createSessionManager({ clock: time.clock, rotation: { every: "10m", grace: "2m" } });
  const events: [string, SessionEvents[keyof SessionEvents]][] = [];
  for (const name of ["created", "rotated", "destroyed", "reused", "gone", "swept", "error"] as const)
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
  expect(told()).toEqual([["rotated", { id, principal: "alice", reason: "login" }]]);

  inFlight.store("data").set("b", 1);
  await inFlight.commit();
  await inFlight.commit();
  expect(told()).toEqual([["gone", { id: guest.id, principal: undefined }]]);

  pass(10 * MINUTE);
  const periodic = await sessions.open(member);
  const old = member;
  member = cookieOf((await periodic.commit()).setCookie);
  expect(told()).toEqual([["rotated", { id, principal: "alice", reason: "periodic" }]]);
  await (await sessions.open(member)).commit();
  pass(2 * MINUTE);
  await (await sessions.open(member)).commit();
  expect(told()).toEqual([]);
  await sessions.open(old);
  expect(told()).toEqual([
    ["reused", { id, principal: "alice" }],
    ["destroyed", { id, principal: "alice", reason: "reused" }],
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
