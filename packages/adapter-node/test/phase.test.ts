import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type Phase, phaseAfter, type Transition } from "../src/hold-back/phase.ts";

const source = await readFile(new URL("../src/hold-back/phase.ts", import.meta.url), "utf8");

// Records, so that the compiler misses a name that is not here.
const phases = Object.keys({
  ...{ waiting: 0, passing: 0, holding: 0, draining: 0, sent: 0, ended: 0, over: 0, abandoned: 0 },
} satisfies Record<Phase, 0>) as Phase[];
const transitions = Object.keys({
  ...{ pass: 0, wait: 0, hold: 0, seal: 0, send: 0, end: 0, leave: 0, lose: 0, abandon: 0 },
} satisfies Record<Transition, 0>) as Transition[];

/** The table in the doc comment of `phaseAfter`: "phase transition" to the next phase. */
const table = new Map(
  [...source.matchAll(/^ \* \| `(\w+)` \| ([\w, ]+) \| (\w+) \|/gm)].flatMap(([, transition, from, to]) =>
    (from ?? "").split(", ").map((phase) => [`${phase} ${transition}`, to] as const),
  ),
);

test("the table has every transition, and leads to every phase but the first", () => {
  const named = [...table.keys()].map((key) => key.split(" ")[1]);
  expect(new Set(named)).toEqual(new Set(transitions));
  expect(new Set([...table.values(), "waiting"])).toEqual(new Set(phases));
});

describe.each(phases)("a response that is %s", (phase) => {
  test.each(transitions)("and has to %s does as the table says", (transition) => {
    const next = table.get(`${phase} ${transition}`);
    if (next === undefined)
      expect(() => phaseAfter(phase, transition)).toThrow(`A response that is ${phase} cannot ${transition}`);
    else expect(phaseAfter(phase, transition)).toBe(next);
  });
});
