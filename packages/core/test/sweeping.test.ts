import { afterEach, expect, test, vi } from "vitest";
import { createSessionManager, type SessionEvents } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { MINUTE, spyDriver, testClock } from "./support.ts";

afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const clock = testClock();
  const time = { clock, pass: clock.advance };
  let fault: Error | undefined;
  const driver = spyDriver({}, memoryDriver(), (call) => {
    if (call === "sweep" && fault) throw fault;
  });
  const { counts } = driver;
  const sessions = createSessionManager({ driver, clock: time.clock, idle: "10m" });
  return {
    ...time,
    sessions,
    counts,
    fail(error: Error | undefined) {
      fault = error;
    },
    async store(count: number) {
      const ids: string[] = [];
      for (let n = 0; n < count; n++) {
        const session = sessions.create();
        await session.commit();
        ids.push(session.id);
      }
      counts();
      return ids;
    },
  };
}

test("sweep removes what expired over five minutes ago, and nothing that lives", async () => {
  const { sessions, store, pass } = setUp();
  const [old] = await store(1);
  pass(5 * MINUTE);
  const [young] = await store(1);
  pass(10 * MINUTE);
  expect(await sessions.sweep()).toBe(0);
  pass(1);
  expect(await sessions.sweep()).toBe(1);
  expect([await sessions.exists(old ?? ""), await sessions.exists(young ?? "")]).toEqual([false, true]);
});

test("sweep works in batches until nothing is left, or its limit is reached", async () => {
  const { sessions, store, pass, counts } = setUp();
  await store(2500);
  pass(60 * MINUTE);
  expect(await sessions.sweep({ limit: 1200 })).toBe(1200);
  expect(counts()).toEqual({ sweep: 2 });
  expect(await sessions.sweep()).toBe(1300);
  expect(await sessions.sweep()).toBe(0);
});

test("sweep keeps to its range: after is in it, before is not", async () => {
  const { sessions, store, pass, clock } = setUp();
  const expiries: number[] = [];
  for (let n = 0; n < 3; n++) {
    await store(1);
    expiries.push(clock() + 10 * MINUTE);
    pass(1);
  }
  pass(60 * MINUTE);
  const [first = 0, second = 0] = expiries;
  expect(await sessions.sweep({ after: new Date(second), before: new Date(second) })).toBe(0);
  expect(await sessions.sweep({ after: new Date(second), before: new Date(second + 1) })).toBe(1);
  expect(await sessions.sweep({ before: new Date(first + 1) })).toBe(1);
  expect(await sessions.sweep()).toBe(1);
});

test("a range that reaches live sessions is refused, unless it is forced", async () => {
  const { sessions, store, clock } = setUp();
  await store(2);
  const before = new Date(clock() + 11 * MINUTE);
  await expect(sessions.sweep({ before })).rejects.toThrow(TypeError);
  await expect(sessions.sweep({ before: new Date(Number.NaN) })).rejects.toThrow(TypeError);
  await expect(sessions.sweep({ limit: 0 })).rejects.toThrow(TypeError);
  expect(await sessions.sweep({ before, force: true })).toBe(2);
});

test("startSweeping sweeps again and again until it is stopped, and tells of failures", async () => {
  vi.useFakeTimers();
  const { sessions, store, pass, fail } = setUp();
  const swept: number[] = [];
  const errors: SessionEvents["error"][] = [];
  sessions.on("swept", ({ count }) => swept.push(count));
  sessions.on("error", (event) => errors.push(event));
  await store(3);
  pass(60 * MINUTE);
  const stop = sessions.startSweeping({ every: "10m" });
  await vi.advanceTimersByTimeAsync(13 * MINUTE);
  expect(swept).toEqual([3]);
  const error = new Error("down");
  fail(error);
  await vi.advanceTimersByTimeAsync(13 * MINUTE);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors[0]).toEqual({ error, during: "sweep" });
  fail(undefined);
  await vi.advanceTimersByTimeAsync(13 * MINUTE);
  const before = swept.length;
  expect(before).toBeGreaterThan(1);
  stop();
  await vi.advanceTimersByTimeAsync(60 * MINUTE);
  expect(swept).toHaveLength(before);
  expect(vi.getTimerCount()).toBe(0);
});

test("close stops every background sweep", async () => {
  vi.useFakeTimers();
  const { sessions } = setUp();
  sessions.startSweeping({ every: 1000 });
  sessions.startSweeping({ every: 2000 });
  await sessions.close();
  expect(vi.getTimerCount()).toBe(0);
});

test("close waits for the sweep that runs, and the driver is closed after it", async () => {
  vi.useFakeTimers();
  const done: string[] = [];
  let finish = (): void => {};
  const driver = {
    ...memoryDriver(),
    sweep: () =>
      new Promise<number>((resolve) => {
        finish = () => {
          done.push("swept");
          resolve(0);
        };
      }),
    close: async () => void done.push("closed"),
  };
  const sessions = createSessionManager({ driver });
  const stop = sessions.startSweeping({ every: 1000 });
  await vi.advanceTimersByTimeAsync(1500);
  stop();
  const closing = sessions.close();
  await vi.advanceTimersByTimeAsync(1000);
  finish();
  await closing;
  expect(done).toEqual(["swept", "closed"]);
});

test("a bad interval names itself", () => {
  const { sessions } = setUp();
  // @ts-expect-error: no duration
  expect(() => sessions.startSweeping({ every: "often" })).toThrow(/every.*"often"/);
});
