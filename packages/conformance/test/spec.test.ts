import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { cases } from "../src/cases/index.ts";

const spec = await readFile(new URL("../../../SPEC.md", import.meta.url), "utf8");
const clauses = [...spec.matchAll(/^- \*\*(R\d+\.\d+)\*\* (.+)$/gm)].map(([, rule, sentence]) => ({
  rule,
  sentence,
}));
const inOrder = (rules: readonly (string | undefined)[]) =>
  [...rules].sort((a, b) => (a ?? "").localeCompare(b ?? "", "en", { numeric: true }));

test("SPEC.md's clauses and the kit's cases are the same list, each once", () => {
  expect(clauses.length).toBeGreaterThan(0);
  expect(inOrder(clauses.map(({ rule }) => rule))).toEqual(inOrder(cases.map(({ rule }) => rule)));
  expect(new Set(cases.map(({ rule }) => rule)).size).toBe(cases.length);
});

test("clauses are numbered in order, without gaps, under their rule's heading", () => {
  expect(clauses.map(({ rule }) => rule)).toEqual(inOrder(clauses.map(({ rule }) => rule)));
  const headings = [...spec.matchAll(/^### (R\d+) /gm)].map(([, rule]) => rule);
  expect(headings).toEqual(Array.from({ length: 14 }, (_, i) => `R${i + 1}`));
  for (const heading of headings) {
    const section = spec.split(`### ${heading} `)[1]?.split(/^##/m)[0] ?? "";
    const rules = [...section.matchAll(/^- \*\*(R\d+\.\d+)\*\*/gm)].map(([, rule]) => rule);
    expect(rules).toEqual(rules.map((_, i) => `${heading}.${i + 1}`));
    expect(rules).not.toEqual([]);
  }
});

test("a clause says what its case needs", () => {
  for (const { rule, needs } of cases) {
    const mark = clauses.find((clause) => clause.rule === rule)?.sentence?.match(/\*\((\w+)\)\*$/)?.[1];
    expect([rule, mark]).toEqual([rule, needs]);
  }
});

test("isolation is looked at first", () => {
  expect(cases[0]?.rule).toBe("R14.1");
});
