import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { advice, advised } from "../src/advice.ts";
import { cases } from "../src/cases/index.ts";
import { PROMISES } from "../src/promises.ts";

const spec = await readFile(new URL("../../../SPEC.md", import.meta.url), "utf8");
const written = [...spec.matchAll(/^- \*\*(H\d+\.\d+)\*\* (.+?)(?: \*\((\w+)\)\*)?$/gm)].map(
  ([, rule, sentence, needs]) => ({ rule, sentence, needs }),
);

test("SPEC.md's clauses and the kit's cases are the same list, word for word", () => {
  expect(written).toEqual(
    cases.map(({ rule, title, needs }) => ({
      rule,
      sentence: `${title.charAt(0).toUpperCase()}${title.slice(1)}.`,
      needs,
    })),
  );
});

test("clauses are numbered in order, without gaps, under their promise's heading", () => {
  const headings = [...spec.matchAll(/^### (H\d+) (.+)$/gm)].map(([, rule, heading]) => [rule, heading]);
  expect(headings).toEqual(Object.entries(PROMISES));
  for (const [index, [promise]] of headings.entries()) {
    expect(promise).toBe(`H${index + 1}`);
    const section = spec.split(`### ${promise} `)[1]?.split(/^##/m)[0] ?? "";
    const rules = [...section.matchAll(/^- \*\*(H\d+\.\d+)\*\*/gm)].map(([, rule]) => rule);
    expect(rules).toEqual(rules.map((_, i) => `${promise}.${i + 1}`));
    expect(rules).not.toEqual([]);
  }
});

test("every promise has advice, and all advice is on a promise or clause", () => {
  for (const { rule } of cases) expect(advice(rule)).toMatch(/^[A-Z].*\.$/);
  const rules = [...Object.keys(PROMISES), ...cases.map(({ rule }) => rule)];
  expect(advised.filter((rule) => !rules.some((one) => one === rule))).toEqual([]);
});
