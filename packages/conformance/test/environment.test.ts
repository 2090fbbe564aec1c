import { type Driver, DriverUnavailableError } from "@sessions/core";
import { describe, expect, test } from "vitest";
import { runConformance, type Target, type TestFunction, testDriver } from "../src/index.ts";
import { simpleDriver } from "./simple-driver.ts";
import { remoteTarget, simpleTarget, worldTarget } from "./targets.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:6379"), { code: "ECONNREFUSED" });
const away = (): Promise<never> =>
  Promise.reject(new DriverUnavailableError("mine: the backend cannot be reached", { cause: refused }));

/** The simplest driver, with some methods replaced. */
const changed = (change: (sound: Driver) => Partial<Driver> & object, more: Partial<Target> = {}): Target =>
  worldTarget((rows) => {
    const sound = simpleDriver(() => rows);
    return { ...sound, ...change(sound) };
  }, more);

/** Runs what `testDriver` registers, one after the other, as a runner does. */
async function inRunner(target: Target, leaveOut = (_title: string) => false) {
  const outcomes: { title: string; failed?: unknown; skipped?: string }[] = [];
  const registered: [string, (context: unknown) => Promise<void>][] = [];
  const test: TestFunction = Object.assign(
    (title: string, fn: (context: unknown) => Promise<void>) => registered.push([title, fn]),
    { skip: (title: string) => outcomes.push({ title, skipped: "early" }) },
  );
  testDriver({ test, target, seed: 1 });
  for (const [title, fn] of registered) {
    if (leaveOut(title)) continue;
    const outcome: (typeof outcomes)[number] = { title };
    const skip = (reason: string) => {
      outcome.skipped = reason;
    };
    await fn({ skip }).catch((error: unknown) => {
      outcome.failed = error;
    });
    outcomes.push(outcome);
  }
  return outcomes;
}

describe("a backend that is not there is told once, and as that", () => {
  test.each<[string, Target, RegExp]>([
    ["open", { name: "x", open: () => Promise.reject(refused) }, /target\.open\(\) failed .*ECONNREFUSED/],
    [
      "open, without a promise",
      {
        name: "x",
        open() {
          throw refused;
        },
      },
      /target\.open\(\) failed .*ECONNREFUSED/,
    ],
    [
      "setup",
      changed(() => ({ setup: away, check: async () => [], teardown: away })),
      /setup\(\) failed .*DriverUnavailableError: mine.*, caused by Error: connect ECONNREFUSED/,
    ],
    ["load", changed(() => ({ load: away })), /load\(\) of an id that no record has failed .*ECONNREFUSED/],
    [
      "load with the client's own error",
      changed(() => ({ load: () => Promise.reject(refused) })),
      /load\(\)/,
    ],
  ])("%s", async (_, target, message) => {
    await expect(runConformance(target)).rejects.toThrow(message);
    await expect(runConformance(target)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    const outcomes = await inRunner(target);
    const failed = outcomes.filter((outcome) => outcome.failed !== undefined);
    expect(failed.map(({ title }) => title)).toEqual([
      "environment: the driver opens, is set up, and its backend answers",
    ]);
    expect(String(failed[0]?.failed)).toMatch(message);
    expect(outcomes.filter((outcome) => !outcome.failed && !outcome.skipped)).toEqual([]);
  });

  test("also where the runner leaves out the test of the environment", async () => {
    const outcomes = await inRunner(
      changed(() => ({ load: away })),
      (title) => !title.startsWith("R4."),
    );
    expect(outcomes.filter(({ failed }) => failed).map(({ title }) => title)).toEqual([
      expect.stringMatching(/^R4\.1 /),
    ]);
  });
});

describe("a wrong driver is not told as a wrong environment", () => {
  test.each<[string, Target]>([
    ["a load that is not written", changed(() => ({ load: () => Promise.reject(new Error("not written")) }))],
    ["a load that returns a record that is not there", changed((sound) => ({ load: () => sound.load("x") }))],
    ["no load", changed(() => ({ load: undefined }) as object)],
  ])("%s", async (_, target) => {
    await expect(runConformance(target, { rules: ["R2.1"] })).resolves.toMatchObject({ failed: 1 });
  });
});

describe("a failed clause says what was seen before it", () => {
  /** Rejects every third commit of many at once, and makes it all the same. */
  const flaky = (error: Error) =>
    changed((sound) => {
      let n = 0;
      return {
        async commit(id, change, now) {
          const result = await sound.commit(id, change, now);
          if (++n % 3 === 0) throw error;
          return result;
        },
      };
    });

  test("a rejection that the case swallowed, of which its failure may only follow", async () => {
    const error = new DriverUnavailableError("mine: no answer within 2000 ms");
    // A story ends at a rejection, so it can say nothing about R6.
    const { results } = await runConformance(flaky(error), { rules: ["R3.4", "R6.8"], seed: 1 });
    expect(results).toMatchObject([{ rule: "R3.4", status: "failed", error }, { rule: "R6.8" }]);
    for (const { status, before } of results.slice(1))
      if (status === "failed") expect(before).toEqual({ call: "commit", error });
  });

  test("the step of an outage in which it failed", async () => {
    const target = remoteTarget();
    const step = async (more: Partial<Driver>, outage = target.outage) => {
      const open = async (namespace: string) => ({ ...(await target.open(namespace)), ...more });
      const { results } = await runConformance({ ...target, open, outage }, { rules: ["R11.2"] });
      return results[0]?.step;
    };
    expect(await step({ create: away })).toBe("before outage.cut()");
    expect(await step({ load: async () => undefined })).toBe("before outage.cut()");
    const cut = () => Promise.reject(new Error("no proxy"));
    expect(await step({}, { cut, restore: async () => {} })).toBe("outage.cut()");
    expect(await step({}, { cut: async () => {}, restore: async () => {} })).toBe(
      "while the backend was cut off",
    );
  });

  test("a case without trouble has neither", async () => {
    const { results } = await runConformance(
      changed(() => ({ destroy: async () => true })),
      { rules: ["R7.1"] },
    );
    expect(Object.keys(results[0] ?? {})).toEqual(["rule", "title", "status", "error"]);
  });

  test("a runner's test says it in its message", async () => {
    const outcomes = await inRunner(
      {
        ...remoteTarget(),
        outage: { cut: () => Promise.reject(new Error("no proxy")), restore: async () => {} },
      },
      (title) => !title.startsWith("R11.2"),
    );
    expect(String(outcomes.find(({ failed }) => failed)?.failed)).toMatch(
      /no proxy\nIt failed in this step: outage\.cut\(\)\./,
    );
  });
});

test("what the kit adds to a driver is not seen by it, frozen or of a class", async () => {
  class Mine {
    readonly #sound: Driver;
    readonly name = "mine";
    constructor(sound: Driver) {
      this.#sound = sound;
    }
    load(id: string) {
      return this.#sound.load(id);
    }
    create: Driver["create"] = (...args) => this.#sound.create(...args);
    commit: Driver["commit"] = (...args) => this.#sound.commit(...args);
    destroy: Driver["destroy"] = (...args) => this.#sound.destroy(...args);
    sweep: Driver["sweep"] = (...args) => this.#sound.sweep(...args);
  }
  const { open } = simpleTarget();
  const target: Target = { name: "mine", open: async (name) => Object.freeze(new Mine(await open(name))) };
  expect((await runConformance(target, { rules: ["R2", "R10"] })).failed).toBe(0);
});
