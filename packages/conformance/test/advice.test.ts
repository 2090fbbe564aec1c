import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { advice, advised } from "../src/advice.ts";
import { headingOf } from "../src/cli/summary.ts";
import type { Rule } from "../src/index.ts";

const spec = await readFile(new URL("../../../SPEC.md", import.meta.url), "utf8");
const isRule = (text: string | undefined): text is Rule => /^R\d+(\.\d+)?$/.test(text ?? "");
const clauses = [...spec.matchAll(/^- \*\*(R[\d.]+)\*\*/gm)].map(([, rule]) => rule).filter(isRule);
const headings = [...spec.matchAll(/^### (R\d+) (.+)$/gm)].map(([, rule = "", heading = ""]) => ({
  rule,
  heading,
}));

test("every clause of SPEC.md gets advice, in whole sentences of one line", () => {
  expect(clauses.length).toBeGreaterThan(0);
  for (const rule of clauses) expect(advice(rule)).toMatch(/^[\p{Lu}\p{Ll}].{40,700}\.$/u);
});

test("no two clauses with advice of their own have the same", () => {
  const own = advised.filter(isRule).map(advice);
  expect(new Set(own).size).toBe(own.length);
});

test("advice is on rules and clauses of SPEC.md, and on nothing else", () => {
  const known: string[] = [...headings.map(({ rule }) => rule), ...clauses];
  expect(advised.filter((rule) => !known.includes(rule))).toEqual([]);
});

test("a clause without advice of its own gets its rule's", () => {
  expect(advice("R4.99")).toBe(advice("R4"));
  expect(advice("R4.4")).not.toBe(advice("R4"));
  expect(() => advice("R99.1")).toThrow(/R99\.1/);
});

test("the headings are SPEC.md's", () => {
  expect(headings.length).toBeGreaterThan(0);
  for (const { rule, heading } of headings) expect([rule, headingOf(rule)]).toEqual([rule, heading]);
});
