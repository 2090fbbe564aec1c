import type { ClosableDriver, ProvisionedDriver } from "@sessions/core";
import { describe, expect, test, vi } from "vitest";
import { cases } from "../src/cases/index.ts";
import { type Rule, runConformance, type Target, type TestFunction, testDriver } from "../src/index.ts";
import { runCase } from "../src/kit.ts";
import { yieldToEventLoop } from "../src/support.ts";
import { provisionedDriver, simpleDriver, type World } from "./simple-driver.ts";
import { memoryTarget, remoteTarget, simpleTarget, worldTarget } from "./targets.ts";

/** A runner that runs nothing, and keeps what it was handed. */
function recorder() {
  const ran: [string, () => Promise<void>][] = [];
  const skipped: string[] = [];
  const test: TestFunction = Object.assign(
    (title: string, fn: () => Promise<void>) => ran.push([title, fn]),
    { skip: (title: string) => skipped.push(title) },
  );
  return { test, ran, skipped };
}

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a target that cannot work is refused", () => {
  const ok = simpleTarget();
  const outage = { cut: async () => {}, restore: async () => {} };
  const wrong: [string, unknown, RegExp][] = [
    ["no target", undefined, /target must be an object/],
    ["null", null, /target must be an object with `name` and `open`, not null/],
    ["no name", { open: ok.open }, /target\.name/],
    ["a blank name", { ...ok, name: " " }, /target\.name must be the driver's name, not " "/],
    ["no open", { name: "x" }, /target\.open must be a function/],
    ["shared of another type", { ...ok, shared: "no" }, /target\.shared must be true or false, not "no"/],
    ["limits of another type", { ...ok, limits: 5 }, /target\.limits must be an object/],
    ["a limit of half a byte", { ...ok, limits: { recordBytes: 70_000.5 } }, /recordBytes.*not 70000\.5/],
    [
      "fewer than a hundred fields",
      { ...ok, limits: { fieldsPerCommit: 99 } },
      /fieldsPerCommit.*at least 100, not 99/,
    ],
    ["half a field", { ...ok, limits: { fieldsPerCommit: 100.5 } }, /fieldsPerCommit.*not 100\.5/],
    ["fields as a text", { ...ok, limits: { fieldsPerCommit: "100" } }, /fieldsPerCommit.*not "100"/],
    ["a limit that holds nothing", { ...ok, limits: { recordBytes: 100 } }, /at least 65536, not 100/],
    ["an outage without restore", { ...ok, outage: { cut: outage.cut } }, /outage\.restore/],
    ["an outage without cut", { ...ok, outage: { restore: outage.restore } }, /outage\.cut/],
    [
      "a drop of another type",
      { ...ok, outage: { ...outage, drop: true } },
      /outage\.drop must be a function/,
    ],
    ["exclude of another type", { ...ok, exclude: "R4" }, /target\.exclude must be an array/],
    ["an exclusion of another type", { ...ok, exclude: ["R4"] }, /exclude\[0\] must be/],
    ["an unknown rule", { ...ok, exclude: [{ rule: "R15", reason: "x" }] }, /exclude\[0\]\.rule.*"R15"/],
    ["an unknown clause", { ...ok, exclude: [{ rule: "R4.99", reason: "x" }] }, /exclude\[0\]\.rule/],
    ["a rule as a number", { ...ok, exclude: [{ rule: 4, reason: "x" }] }, /exclude\[0\]\.rule/],
    ["no reason", { ...ok, exclude: [{ rule: "R4" }] }, /exclude\[0\]\.reason/],
    ["a blank reason", { ...ok, exclude: [{ rule: "R4", reason: " \n" }] }, /exclude\[0\]\.reason/],
    [
      "a rule named twice",
      { ...ok, exclude: Array(2).fill({ rule: "R4", reason: "x" }) },
      /exclude\[1\]\.rule/,
    ],
  ];
  test.each(wrong)("%s", async (_, target, message) => {
    const { test, ran, skipped } = recorder();
    // As JavaScript would call it.
    expect(() => Reflect.apply(testDriver, undefined, [{ test, target }])).toThrow(message);
    expect(() => Reflect.apply(testDriver, undefined, [{ test, target }])).toThrow(TypeError);
    expect([...ran, ...skipped]).toEqual([]);
    await expect(Reflect.apply(runConformance, undefined, [target])).rejects.toThrow(message);
  });

  test.each<[string, unknown, RegExp]>([
    ["of a target", { ...ok, outtage: outage }, /"target\.outtage".*mean "target\.outage"\?$/],
    ["of limits", { ...ok, limits: { recordByte: 1 } }, /"target\.limits\.recordByte".*\.recordBytes"\?$/],
    ["of an outage", { ...ok, outage: { ...outage, stall() {} } }, /"target\.outage\.stall". Known: /],
    ["of an exclusion", { ...ok, exclude: [{ rule: "R4", reasn: "x" }] }, /exclude\[0\]\.reasn".*reason"\?$/],
    [
      "of a class of its own",
      Object.assign(
        new (class {
          open = ok.open;
        })(),
        { nam: "x" },
      ),
      /"target\.nam".*mean "target\.name"\?$/,
    ],
  ])(
    "an unknown property %s is a SessionConfigError that says what was meant",
    async (_, target, message) => {
      const { test, ran, skipped } = recorder();
      const expected = { code: "ERR_SESSION_CONFIG", message: expect.stringMatching(message) };
      expect(thrown(() => Reflect.apply(testDriver, undefined, [{ test, target }]))).toMatchObject(expected);
      expect([...ran, ...skipped]).toEqual([]);
      await expect(Reflect.apply(runConformance, undefined, [target])).rejects.toMatchObject(expected);
    },
  );

  test("so is an unknown option of testDriver and runConformance", async () => {
    const { test, ran, skipped } = recorder();
    const misspelt = { test, target: ok, sed: 1 };
    expect(thrown(() => Reflect.apply(testDriver, undefined, [misspelt]))).toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: 'testDriver: unknown option "sed". Did you mean "seed"?',
    });
    expect([...ran, ...skipped]).toEqual([]);
    await expect(Reflect.apply(runConformance, undefined, [ok, { rule: ["R4"] }])).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
      message: 'runConformance: unknown option "rule". Did you mean "rules"?',
    });
  });

  test("a test function without skip", () => {
    expect(() => Reflect.apply(testDriver, undefined, [{ test: () => {}, target: ok }])).toThrow(
      /method skip/,
    );
    expect(() => Reflect.apply(testDriver, undefined, [{ target: ok }])).toThrow(TypeError);
  });

  test.each(["load", "name"])("what open answers is no driver, because its %s is missing", async (member) => {
    const open = () =>
      Object.assign(
        simpleDriver(() => new Map()),
        { [member]: undefined },
      );
    const { failed, results } = await runConformance({ name: "lame", shared: false, open });
    expect(failed).toBeGreaterThan(0);
    expect(String(results[0]?.error)).toMatch(new RegExp(`${member}.* is missing`));
  });
});

describe("exclusions", () => {
  const excluded = (exclude: Target["exclude"]): Target => ({ ...memoryTarget(), exclude });

  test("a clause is skipped, with its reason in the title", async () => {
    const { results } = await runConformance(excluded([{ rule: "R3.4", reason: "one writer only" }]));
    const result = results.find(({ rule }) => rule === "R3.4");
    const title = "concurrent commits to different fields all survive (skipped: one writer only)";
    expect(result).toEqual({ rule: "R3.4", title, status: "skipped" });
    const [all, passed] = [cases, results.filter(({ status }) => status === "passed")].map(
      (list) => list.filter(({ rule }) => rule.startsWith("R3.")).length,
    );
    // The one that is excluded, and the one between drivers.
    expect(passed).toBe((all ?? 0) - 2);
  });

  test("a rule is skipped in all of its clauses, and no other is", () => {
    const { test, skipped } = recorder();
    testDriver({ test, target: excluded([{ rule: "R1", reason: "no create" }]) });
    const expected = cases.filter(({ rule }) => rule.startsWith("R1.")).length;
    expect(skipped.filter((title) => /^R1\.\d+ .*\(skipped: no create\)$/.test(title))).toHaveLength(
      expected,
    );
    expect(skipped.some((title) => /^R1\d\..*no create/.test(title))).toBe(false);
  });

  test("an excluded case opens nothing", async () => {
    const open = vi.fn(memoryTarget().open);
    const exclude = [...new Set(cases.map(({ rule }) => rule))].map((rule: Rule) => ({ rule, reason: "x" }));
    const report = await runConformance({ name: "memory", open, exclude });
    expect(open).not.toHaveBeenCalled();
    expect(report.skipped).toBe(cases.length);
  });
});

describe("the report", () => {
  test("has one result for each case, and the sums", async () => {
    const report = await runConformance(memoryTarget());
    expect(report.results.map(({ rule }) => rule)).toEqual(cases.map(({ rule }) => rule));
    for (const status of ["passed", "failed", "skipped"] as const)
      expect(report[status]).toBe(report.results.filter((result) => result.status === status).length);
  });

  test("has the error of a case that failed", async () => {
    const error = new Error("no");
    const target = worldTarget((rows) => ({
      ...simpleDriver(() => rows),
      load: () => Promise.reject(error),
    }));
    const { results } = await runConformance(target);
    expect(results.find(({ rule }) => rule === "R2.1")).toMatchObject({ status: "failed", error });
  });
});

describe("as tests of a runner", () => {
  test("every case becomes a test or a skipped test, titled by its clause", async () => {
    const { test, ran, skipped } = recorder();
    testDriver({ test, target: memoryTarget() });
    // One more looks whether the backend is there.
    expect(ran.length + skipped.length).toBe(cases.length + 1);
    expect(ran.map(([title]) => title)).toContain("R3.4 concurrent commits to different fields all survive");
    for (const title of skipped) expect(title).toMatch(/^R\d+\.\d+ .+ \(skipped: the target .+\)$/);
    for (const [, fn] of ran) expect(fn).toHaveLength(0);
    await Promise.all(ran.map(([, fn]) => fn()));
  });

  test("a case that the driver turns out not to need skips through the runner's context", async () => {
    const { test, ran } = recorder();
    testDriver({ test, target: memoryTarget() });
    const [, fn] = ran.find(([title]) => title.startsWith("R12.1 ")) ?? [];
    const skip = vi.fn();
    await Reflect.apply(fn ?? (() => {}), undefined, [{ skip }]);
    await Reflect.apply(fn ?? (() => {}), { skip }, []);
    await Reflect.apply(fn ?? (() => {}), undefined, []);
    expect(skip.mock.calls).toEqual([["the driver needs no setup"], ["the driver needs no setup"]]);
  });

  test("a fault is the test's", async () => {
    const { test, ran } = recorder();
    testDriver({ test, target: { name: "away", open: () => Promise.reject(new Error("no server")) } });
    await expect(ran[0]?.[1]()).rejects.toThrow("no server");
  });
});

/** Counts what is open, and keeps what was done in what order. */
function watched(fail: { setup?: boolean; load?: boolean; teardown?: boolean } = {}) {
  const world: World = new Map();
  const log: string[] = [];
  let opened = 0;
  const target: Target = {
    name: "watched",
    open(namespace): ProvisionedDriver & ClosableDriver {
      const sound = provisionedDriver(world, namespace);
      const n = ++opened;
      const step = async (name: string, fails: boolean | undefined, does: () => Promise<void>) => {
        log.push(`${name} ${n}`);
        if (fails) throw new Error(`${name} failed`);
        await does();
      };
      return {
        ...sound,
        load: (id) => (fail.load ? Promise.reject(new Error("load failed")) : sound.load(id)),
        setup: () => step("setup", fail.setup, sound.setup),
        teardown: () => step("teardown", fail.teardown, sound.teardown),
        close: () => step("close", false, yieldToEventLoop),
      };
    },
  };
  return { target, log };
}

const caseOf = (rule: Rule) => {
  const found = cases.find((one) => one.rule === rule);
  if (!found) throw new TypeError(`no case ${rule}`);
  return found;
};

describe("around each case", () => {
  test("set up once, then torn down and closed, newest first", async () => {
    const { target, log } = watched();
    await runCase(target, caseOf("R10.1"), 1);
    expect(log).toEqual(["setup 1", "close 2", "teardown 1", "close 1"]);
  });

  test("a driver that the case closed is not closed again", async () => {
    const { target, log } = watched();
    await runCase(target, caseOf("R10.3"), 1);
    expect(log).toEqual(["setup 1", "close 2", "close 3", "teardown 1", "close 1"]);
  });

  test("also when the case fails, whose error is the one that is reported", async () => {
    for (const fail of [{ load: true }, { load: true, teardown: true }]) {
      const { target, log } = watched(fail);
      await expect(runCase(target, caseOf("R1.1"), 1)).rejects.toThrow("load failed");
      expect(log).toEqual(["setup 1", "teardown 1", "close 1"]);
    }
  });

  test("also when setup fails", async () => {
    const { target, log } = watched({ setup: true });
    await expect(runCase(target, caseOf("R1.1"), 1)).rejects.toThrow("setup failed");
    expect(log).toEqual(["setup 1", "teardown 1", "close 1"]);
  });

  test("a teardown that fails is a failed case, and the driver is closed", async () => {
    const { target, log } = watched({ teardown: true });
    await expect(runCase(target, caseOf("R1.1"), 1)).rejects.toThrow("teardown failed");
    expect(log).toEqual(["setup 1", "teardown 1", "close 1"]);
  });

  test("each case has namespaces of its own, short and plain", async () => {
    const names: string[] = [];
    const { open } = simpleTarget();
    const target: Target = {
      name: "simple",
      shared: false,
      open(namespace) {
        names.push(namespace);
        return open(namespace);
      },
    };
    await runConformance(target);
    await runConformance(target);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]{1,39}$/);
  });
});

describe("outages", () => {
  test("open is told which cases cut the line", async () => {
    const { open, ...rest } = remoteTarget();
    const told = new Map<boolean | undefined, number>();
    const target: Target = {
      ...rest,
      open(namespace, about) {
        told.set(about?.outage, (told.get(about?.outage) ?? 0) + 1);
        return open(namespace);
      },
    };
    await runCase(target, caseOf("R2.1"), 1);
    await runCase(target, caseOf("R10.1"), 1);
    expect([...told]).toEqual([[false, 3]]);
    await runCase(target, caseOf("R11.2"), 1);
    expect([...told]).toEqual([
      [false, 3],
      [true, 1],
    ]);
  });

  test("the backend is brought back when the case fails", async () => {
    const target = remoteTarget();
    const restore = vi.fn(async () => target.outage?.restore());
    const broken: Target = {
      ...target,
      async open(namespace) {
        const sound = await target.open(namespace);
        return { ...sound, load: (id) => sound.load(id).catch(() => undefined) };
      },
      outage: { cut: async () => target.outage?.cut(), restore },
    };
    await expect(runCase(broken, caseOf("R11.2"), 1)).rejects.toThrow(
      /must reject while the backend is away/,
    );
    expect(restore).toHaveBeenCalledOnce();
  });

  test("a driver that hangs is a failed case, not a run that hangs", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      let up = true;
      const to = (state: boolean) => async () => {
        up = state;
      };
      const target = worldTarget(
        (rows) => {
          const sound = simpleDriver(() => rows);
          return { ...sound, load: (id) => (up ? sound.load(id) : new Promise(() => {})) };
        },
        { outage: { cut: to(false), restore: to(true) } },
      );
      const failed = expect(runCase(target, caseOf("R11.2"), 1)).rejects.toThrow(
        /must reject while the backend is away .*did not end within 3000 ms/,
      );
      while (up) await yieldToEventLoop();
      await yieldToEventLoop();
      await vi.advanceTimersByTimeAsync(3_000);
      await failed;
    } finally {
      vi.useRealTimers();
    }
  });
});
