import { readFile } from "node:fs/promises";
import { DriverUnavailableError } from "@sessions/core";
import { describe, expect, test } from "vitest";
import { advice, adviceOn, advised } from "../src/advice.ts";
import { addressOf } from "../src/cli/address.ts";
import { headingOf } from "../src/cli/summary.ts";
import type { Result, Rule } from "../src/index.ts";

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

test("a rule's address is that of its heading, as GitHub makes it", () => {
  expect(addressOf("R1.4")).toMatch(/\/SPEC\.md#r1-create-makes-a-record-or-nothing$/);
  expect(addressOf("R5")).toMatch(/\/SPEC\.md#r5-compare-and-set$/);
  expect(addressOf("R14.1")).toMatch(/\/SPEC\.md#r14-apart-byte-by-byte$/);
});

test("the headings are SPEC.md's", () => {
  expect(headings.length).toBeGreaterThan(0);
  for (const { rule, heading } of headings) expect([rule, headingOf(rule)]).toEqual([rule, heading]);
});

describe("the advice on a failure goes by the error that was seen first", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED ::1:5432"), { code: "ECONNREFUSED" });
  const unavailable = (text: string, cause?: unknown) =>
    new DriverUnavailableError(`mine: ${text}`, { cause });
  const wrong = new Error("commit: expected 'gone', seen 'committed'");
  test.each<[string, Partial<Result>, RegExp]>([
    ["away", { error: unavailable("the backend cannot be reached", refused) }, /^The backend refused, or/],
    ["away, as the client says it", { error: refused }, /^The backend refused, or/],
    [
      "late",
      { error: unavailable("no answer within 2000 ms") },
      /^No answer came in time\..*\{ outage: true \}/,
    ],
    [
      "too many connections",
      { error: unavailable("refuses", new Error("sorry, too many clients already")) },
      /^The backend, or the client's pool, refused because too much/,
    ],
    [
      "a failure that only follows",
      { error: wrong, before: { call: "commit", error: refused } },
      /^The backend refused.* If the clause still fails without that: A commit to an unknown id/,
    ],
    [
      "before a cut",
      { rule: "R11.2", error: refused, step: "before outage.cut()" },
      /^The backend refused, or/,
    ],
    [
      "the cut itself",
      { rule: "R11.2", error: refused, step: "outage.cut()" },
      /^The target's own outage\.cut\(\)/,
    ],
    [
      "after a cut",
      { rule: "R11.4", error: refused, step: "after outage.restore()" },
      /^The driver did not work again/,
    ],
    ["a wrong driver", { error: wrong }, /^A commit to an unknown id created a record/],
    ["a wrong driver that speaks of time", { error: new Error("timeout is not defined") }, /^A commit to an/],
  ])("%s", (_, result, expected) => {
    expect(adviceOn({ rule: "R4.1", title: "x", status: "failed", ...result })).toMatch(expected);
  });
});
