import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createCall, shownError } from "../src/driver-tools.ts";
import { SessionSetupError } from "../src/index.ts";
import { thrownBy } from "./support.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const call = createCall({
  driver: "mine",
  timeout: 2_000,
  translate: (error) =>
    error instanceof Error && error.message === "no such table"
      ? new SessionSetupError("run setup()")
      : undefined,
});

const never = new Promise<never>(() => {});

describe("a call to a backend", () => {
  test("answers what the backend answers, and leaves no timer behind", async () => {
    expect(await call(async () => 5)).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is not answered in time is DriverUnavailableError, not a moment earlier", async () => {
    const outcome = vi.fn();
    void call(() => never).catch(outcome);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(outcome).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(outcome.mock.calls[0]?.[0]).toMatchObject({
      code: "ERR_SESSION_UNAVAILABLE",
      retryable: true,
      message: "mine: no answer within 2000 ms (is the server there, and the client connected?)",
    });
  });

  test("that changes a record says that the change may or may not have been made, and no other says so", async () => {
    const doubt = /; the change may or may not have been made$/;
    for (const [about, said] of [
      [{ changes: true }, true],
      [{ changes: false }, false],
      [undefined, false],
    ] as const) {
      const late = thrownBy(() => call(() => never, 10, about));
      await vi.advanceTimersByTimeAsync(10);
      for (const error of [
        await late,
        await thrownBy(() => call(() => Promise.reject(new Error()), 10, about)),
      ])
        expect(doubt.test(String(Object(error).message))).toBe(said);
    }
  });

  test("has a signal that aborts where no answer came in time, and not before or where one came", async () => {
    const signals: AbortSignal[] = [];
    const aborted = () => signals.map((signal) => signal.aborted);
    await call(async (signal) => void signals.push(signal), 10);
    void call((signal) => {
      signals.push(signal);
      return never;
    }, 10).catch(() => {});
    await vi.advanceTimersByTimeAsync(9);
    expect(aborted()).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(aborted()).toEqual([false, true]);
    expect(signals[0]).not.toBe(signals[1]);
  });

  test("costs no signal where its work does not ask for one", async () => {
    const made = vi.spyOn(globalThis, "AbortController");
    try {
      await call(async () => 5);
      expect(made).not.toHaveBeenCalled();
      await call(async (_signal) => 5);
      expect(made).toHaveBeenCalledOnce();
    } finally {
      made.mockRestore();
    }
  });

  test("says that it is late, once, and not where it was answered in time", async () => {
    const onLate = vi.fn();
    const outcome = vi.fn();
    await call(async () => 5, 10, { onLate });
    await vi.advanceTimersByTimeAsync(10);
    expect(onLate).not.toHaveBeenCalled();
    void call(() => never, 10, { onLate }).catch(outcome);
    await vi.advanceTimersByTimeAsync(10);
    expect(onLate).toHaveBeenCalledOnce();
    expect(outcome).toHaveBeenCalledOnce();
  });

  test("may have another time, or all the time there is", async () => {
    const outcome = vi.fn();
    void call(() => never, 10).catch(outcome);
    await vi.advanceTimersByTimeAsync(10);
    expect(outcome).toHaveBeenCalledOnce();
    void call(() => never, Number.POSITIVE_INFINITY).catch(outcome);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("may have more time than a timer can wait for, and is not late at once", async () => {
    const outcome = vi.fn();
    void call(() => never, 100 * 365 * 86_400_000).catch(outcome);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(outcome).not.toHaveBeenCalled();
  });

  test("whose time is used up is not begun", async () => {
    const work = vi.fn(async () => 5);
    for (const timeout of [0, -1])
      expect(await thrownBy(() => call(work, timeout))).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    expect(work).not.toHaveBeenCalled();
  });

  test("that fails late, after it was given up, troubles nobody", async () => {
    const outcome = vi.fn();
    void call(() => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 3_000))).catch(
      outcome,
    );
    await vi.advanceTimersByTimeAsync(5_000);
    expect(outcome).toHaveBeenCalledOnce();
  });

  test("that the driver understands is the driver's error, and an error of ours stays as it is", async () => {
    expect(await thrownBy(() => call(() => Promise.reject(new Error("no such table"))))).toMatchObject({
      code: "ERR_SESSION_SETUP",
    });
    const own = new SessionSetupError("as it is");
    expect(await thrownBy(() => call(() => Promise.reject(own)))).toBe(own);
  });

  test("that fails in any other way is DriverUnavailableError: the kind in the message, all of it in the cause", async () => {
    const refused = Object.assign(new Error("connect to user:hunter2@host"), { code: "ECONNREFUSED" });
    const odd = Object.assign(new RangeError("hunter2"), { code: "has a secret: hunter2" });
    const thrown = [
      await thrownBy(() => call(() => Promise.reject(refused))),
      await thrownBy(() => call(() => Promise.reject(odd))),
      await thrownBy(() => call(() => Promise.reject("hunter2"))),
    ];
    const kinds = ["ECONNREFUSED", "RangeError", "unknown error"];
    const causes = [refused, odd, "hunter2"];
    for (const [i, error] of thrown.entries()) {
      expect(error).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE", cause: causes[i] });
      expect(String(error)).toContain(`(${kinds[i]})`);
      expect(String(error)).not.toContain("hunter2");
    }
  });
});

describe("a client's error as it may be shown", () => {
  test.each<[string, (error: Error) => void]>([
    ["of one line", () => {}],
    ["whose message looks like a stack", (error) => (error.message = "no\n    at ALICE (x.ts:1:1)")],
    ["with the message given late", (error) => (error.message = "ALICE")],
    ["with a stack of another message", (error) => (error.stack = `Error: no ALICE\nALICE\n${error.stack}`)],
    ["with a name that tells", (error) => (error.name = "no: ALICE")],
  ])("has nothing but what it was told to keep: %s", (_, change) => {
    const error = new Error("ALICE", { cause: "ALICE" });
    change(error);
    Object.assign(error, { code: "23514", detail: "ALICE", table: { name: "ALICE" } });
    const shown = shownError(error, ["code", "table"], "refused");
    expect(inspect(shown, { showHidden: true, depth: 9 })).not.toContain("ALICE");
    expect(shown).toMatchObject({ message: "refused", code: "23514" });
  });

  test("keeps where it arose, and its name", () => {
    const shown = shownError(new RangeError("ALICE\nBOB"), [], "refused");
    expect(shown.stack).toMatch(/^RangeError: refused\n {4}at .*driver-tools\.test\.ts/);
    expect(shownError("ALICE", [], "refused").message).toBe("refused");
  });
});
