import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Rule, runConformance } from "../src/index.ts";
import { blame, type Entry, type History, isPossible, shortened } from "../src/model/history.ts";
import { type Call, expected, type Held } from "../src/model/record.ts";
import { HOUR } from "../src/support.ts";
import { faultyDrivers } from "./faulty-drivers.ts";

const now = 1_000_000;
const record = (version: number, ...fields: [string, string][]): Held => ({
  version,
  expiresAt: now + HOUR,
  fields: new Map(fields),
});
const set = (name: string, text: string, ifVersion?: number): Call => ({
  method: "commit",
  change: { fields: new Map([[name, text]]), ifVersion },
});
const load: Call = { method: "load" };
const destroy: Call = { method: "destroy" };

/** `[driver, call, begun, ended, answer]` a line. */
const history = (first: Held, ...lines: [number, Call, number, number, Entry["answer"]][]): History => ({
  now,
  first,
  entries: lines.map(([driver, call, begun, ended, answer]) => ({ driver, call, begun, ended, answer })),
});

describe("a history is possible if some order of its calls explains the answers", () => {
  const none = Number.POSITIVE_INFINITY;
  const possible: Record<string, History> = {
    "nothing happens": history(undefined),
    "calls that overlap take either order": history(
      record(1),
      [0, set("a/x", "1", 1), 0, 3, "conflict"],
      [1, set("a/x", "2", 1), 1, 2, "committed"],
    ),
    "a load beside a commit sees it": history(
      record(1),
      [0, set("a/x", "1"), 0, 3, "committed"],
      [1, load, 1, 2, record(2, ["a/x", "1"])],
    ),
    "or does not": history(record(1), [0, set("a/x", "1"), 0, 3, "committed"], [1, load, 1, 2, record(1)]),
    "a call without an answer was made": history(
      record(1),
      [0, set("a/x", "1"), 0, none, undefined],
      [1, load, 1, 2, record(2, ["a/x", "1"])],
    ),
    "or was not": history(record(1), [0, set("a/x", "1"), 0, none, undefined], [1, load, 1, 2, record(1)]),
    "or was made between two looks": history(
      record(1),
      [0, set("a/x", "1"), 0, none, undefined],
      [1, load, 1, 2, record(1)],
      [1, load, 3, 4, record(2, ["a/x", "1"])],
    ),
  };
  test.each(Object.entries(possible))("%s", (_, told) => {
    expect(isPossible(told)).toBe(true);
  });

  const impossible: [string, string, History][] = [
    [
      "a load that begins after a commit must see it",
      "R10",
      history(record(1), [0, set("a/x", "1"), 0, 1, "committed"], [1, load, 2, 3, record(1)]),
    ],
    [
      "its own driver's too",
      "R2",
      history(record(1), [0, set("a/x", "1"), 0, 1, "committed"], [0, load, 2, 3, record(1)]),
    ],
    [
      "two commits that were acknowledged both show",
      "R3",
      history(
        record(1),
        [0, set("a/x", "1"), 0, 2, "committed"],
        [1, set("a/y", "2"), 1, 3, "committed"],
        [0, load, 4, 5, record(3, ["a/y", "2"])],
        [1, load, 6, 7, record(3, ["a/y", "2"])],
      ),
    ],
    [
      "one version is set once",
      "R5",
      history(
        record(1),
        [0, set("a/x", "1", 1), 0, 2, "committed"],
        [1, set("a/y", "2", 1), 1, 3, "committed"],
        [0, load, 4, 5, record(3, ["a/x", "1"], ["a/y", "2"])],
      ),
    ],
    [
      "what is destroyed is destroyed once",
      "R7",
      history(record(1), [0, destroy, 0, 2, true], [1, destroy, 1, 3, true]),
    ],
    [
      "what is destroyed takes no commit",
      "R4",
      history(record(1), [0, destroy, 0, 1, true], [1, set("a/x", "1"), 2, 3, "committed"]),
    ],
    [
      "a commit counts once",
      "R6",
      history(record(1), [0, set("a/x", "1"), 0, 1, "committed"], [0, load, 2, 3, record(3, ["a/x", "1"])]),
    ],
    [
      "an id is created once",
      "R1",
      history(
        undefined,
        [0, { method: "create", record: { expiresAt: now + HOUR, fields: new Map() } }, 0, 2, true],
        [1, { method: "create", record: { expiresAt: now + HOUR, fields: new Map() } }, 1, 3, true],
      ),
    ],
    [
      "what a load has shown is not taken back",
      "R3",
      history(
        record(1),
        [0, set("a/x", "1"), 0, none, undefined],
        [1, load, 1, 2, record(2, ["a/x", "1"])],
        [1, load, 3, 4, record(2)],
      ),
    ],
  ];
  test.each(impossible)("%s: else %s is broken", (_, rule, told) => {
    expect(isPossible(told)).toBe(false);
    expect(blame(told)).toBe(rule);
  });

  /** Calls one after the other, answered as the contract says. */
  const calls = fc.array(
    fc.oneof(
      fc.constant(load),
      fc.constant(destroy),
      fc
        .tuple(fc.constantFrom("a/x", "a/y"), fc.constantFrom("1", "2"))
        .map(([name, text]) => set(name, text)),
      fc.nat({ max: 3 }).map((ifVersion) => set("a/x", "3", ifVersion)),
      fc.constant<Call>({
        method: "create",
        record: { expiresAt: now + HOUR, fields: new Map([["a/x", "0"]]) },
      }),
    ),
    { maxLength: 7 },
  );
  function sequential(list: readonly Call[]): History {
    let held: Held = record(1);
    const entries = list.map((call, i): Entry => {
      const { answer, held: next } = expected(held, call, now);
      held = next;
      return { driver: i % 2, call, begun: 2 * i, ended: 2 * i + 1, answer };
    });
    return { now, first: record(1), entries };
  }

  test("whatever one caller is answered is possible, and stays so where the calls overlap", () => {
    fc.assert(
      fc.property(calls, fc.nat({ max: 9 }), (list, early) => {
        const told = sequential(list);
        expect(isPossible(told)).toBe(true);
        // An earlier beginning leaves the callers more orders, never fewer.
        const entries = told.entries.map((entry) => ({ ...entry, begun: entry.begun - early }));
        expect(isPossible({ ...told, entries })).toBe(true);
      }),
    );
  });

  test("what is left of an impossible history is impossible, and nothing more can be left out", () => {
    fc.assert(
      fc.property(calls, (list) => {
        const told = sequential(list);
        const last: Entry = { driver: 1, call: load, begun: 90, ended: 91, answer: record(77) };
        const impossible = { ...told, entries: [...told.entries, last] };
        const short = shortened(impossible);
        expect(isPossible(short)).toBe(false);
        for (const entry of short.entries.filter(({ call }) => call.method === "load")) {
          const without = { ...short, entries: short.entries.filter((other) => other !== entry) };
          expect(isPossible(without)).toBe(true);
        }
      }),
    );
  });
});

const messageOf = async (fault: string, rule: Rule, seed: number): Promise<string> => {
  const found = faultyDrivers.find((one) => one.fault === fault);
  if (!found) throw new TypeError(`no fault called ${fault}`);
  const { results } = await runConformance(found.target(), { seed, rules: [rule] });
  const [result] = results;
  expect(result?.status).toBe("failed");
  return result?.error instanceof Error ? result.error.message : "";
};

describe("a story", () => {
  test("that fails is printed as few steps, with the seed, and told again by it", async () => {
    const first = await messageOf("a new expiry revives an expired record", "R4.11", 7);
    expect(first).toContain("R4 is broken by the last of these calls (seed 7):");
    const steps = first.split("\n").filter((line) => /^ {2}\d+\. /.test(line));
    expect(steps.length).toBeLessThanOrEqual(4);
    expect(steps.at(-1)).toMatch(/commit\(\w, \{ expiresAt: now \+ .* → "committed"/);
    expect(first).toMatch(/this commit must return "gone", not "committed"/);
    expect(await messageOf("a new expiry revives an expired record", "R4.11", 7)).toBe(first);
  });

  test("says nothing of a rule that it cannot come to", async () => {
    const rules: Rule[] = ["R1.10", "R2.8", "R3.11", "R4.11", "R5.7", "R6.8", "R7.8", "R8.7", "R14.7"];
    const no = () => Promise.reject(new Error("not written"));
    const driver = { name: "none", create: no, load: no, commit: no, destroy: no, sweep: no };
    const report = await runConformance({ name: "none", open: () => driver }, { rules });
    expect(report.failed).toBe(rules.length);
  });
});

describe("a history", () => {
  test("that fails is printed from beginning to end, short, with the seed", async () => {
    const message = await messageOf("the version is compared first, the record written later", "R5.8", 7);
    expect(message).toMatch(/^R5 is broken: no order of these \d calls explains their results \(seed 7\):/);
    expect(message).toMatch(/\n {2}0\. before: /);
    expect(message).toMatch(/driver \d begins commit\(\{ ifVersion: \d/);
    expect(message).toMatch(/gets "committed" from its commit/);
    expect(message.split("\n").length).toBeLessThanOrEqual(12);
  });
});

test("the environment's seed is the one that is reported, and a wrong one is refused by name", async () => {
  const target = faultyDrivers[0]?.target() ?? {
    name: "none",
    open: () => Promise.reject(new Error("none")),
  };
  process.env["SESSIONS_CONFORMANCE_SEED"] = "99";
  try {
    expect((await runConformance(target, { rules: ["R2.2"] })).seed).toBe(99);
    expect((await runConformance(target, { rules: ["R2.2"], seed: 5 })).seed).toBe(5);
    process.env["SESSIONS_CONFORMANCE_SEED"] = "many";
    await expect(runConformance(target)).rejects.toThrow(/SESSIONS_CONFORMANCE_SEED must be .*, not many/);
  } finally {
    delete process.env["SESSIONS_CONFORMANCE_SEED"];
  }
  await expect(runConformance(target, { seed: -1 })).rejects.toThrow(/seed must be a whole number from 0/);
  await expect(runConformance(target, { rules: ["R99"] })).rejects.toThrow(/rules must be .*"R99"/);
});
