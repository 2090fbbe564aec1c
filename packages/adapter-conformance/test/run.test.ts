import { expect, test } from "vitest";
import { cases } from "../src/cases/index.ts";
import { runConformance, type Target, testAdapter } from "../src/index.ts";

const target: Target = {
  name: "none",
  start: async () => expect.unreachable(),
  abilities: ["streams", "node", "touch", "vary"],
};

/** The titles of the tests that `testAdapter` makes: those that run, and those that are skipped. */
function named(more: Partial<Target> = {}): { run: string[]; skipped: string[] } {
  const run: string[] = [];
  const skipped: string[] = [];
  testAdapter({
    test: Object.assign((title: string) => run.push(title), { skip: (title: string) => skipped.push(title) }),
    target: { ...target, ...more },
  });
  return { run, skipped };
}

test("every case is one test, whose title is its clause", () => {
  const { run, skipped } = named();
  expect(skipped).toEqual([]);
  expect(run).toEqual(cases.map(({ rule, title }) => `${rule} ${title}`));
  expect(run).toContain("H8.1 a first write causes one create, and sends one cookie");
});

test("a clause or a promise that the target excludes is skipped with its reason", () => {
  const { run, skipped } = named({
    exclude: [
      { rule: "H8.1", reason: "it cannot (yet)" },
      { rule: "H9", reason: "it never will" },
    ],
  });
  expect(skipped).toContain(
    "H8.1 a first write causes one create, and sends one cookie (skipped: it cannot (yet))",
  );
  expect(skipped.filter((title) => title.endsWith("(skipped: it never will)"))).toHaveLength(
    cases.filter(({ rule }) => rule.startsWith("H9.")).length,
  );
  expect(run).toHaveLength(cases.length - skipped.length);
});

test("a clause that needs an ability is skipped where the target does not name it", () => {
  const { skipped } = named({ abilities: ["streams", "vary"] });
  expect(skipped).toEqual(
    cases
      .filter(({ needs }) => needs === "node" || needs === "touch")
      .map(
        ({ rule, title, needs }) =>
          `${rule} ${title} (skipped: without the ability "${needs}": ${
            needs === "node"
              ? "a response of node:http, which other middlewares may wrap"
              : "the option touch"
          })`,
      ),
  );
});

test.each<[string, object, string]>([
  ["an unknown property", { htp2: true }, 'Did you mean "target.http2"?'],
  [
    "an unknown ability",
    { abilities: ["stream"] },
    'each of target.abilities must be one of streams, node, touch, vary, not "stream"',
  ],
  ["no name", { name: " " }, "target.name must be the adapter's name"],
  ["no start", { start: undefined }, "target.start must be a function"],
  [
    "an unknown promise",
    { exclude: [{ rule: "H99", reason: "it cannot" }] },
    "a promise or clause of SPEC.md",
  ],
  ["an exclusion without a reason", { exclude: [{ rule: "H9", reason: "" }] }, "gives the reason"],
])("a target with %s is refused", async (_, more, message) => {
  expect(() => named(more)).toThrow(message);
  await expect(runConformance({ ...target, ...more })).rejects.toThrow(message);
});

test("unknown options are refused, and so is an unknown promise", async () => {
  // @ts-expect-error: an option of the kit for drivers
  expect(() => testAdapter({ test, target, seed: 1 })).toThrow('testAdapter: unknown option "seed"');
  // @ts-expect-error: "rule" for "rules"
  await expect(runConformance(target, { rule: ["H1"] })).rejects.toThrow('Did you mean "rules"?');
  await expect(runConformance(target, { rules: ["H99"] })).rejects.toThrow('not "H99"');
});
