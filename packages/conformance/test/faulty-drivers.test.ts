import { describe, expect, test } from "vitest";
import { runConformance } from "../src/index.ts";
import { faultyDrivers } from "./faulty-drivers.ts";

describe("a driver with one fault fails the rule beside it, and no other", () => {
  test.each(faultyDrivers)("$rule $fault", { timeout: 30_000 }, async ({ rule, target }) => {
    const { results } = await runConformance(target());
    const failed = results.filter(({ status }) => status === "failed");
    const others = failed.filter((result) => !result.rule.startsWith(`${rule}.`));
    expect(others.map((result) => `${result.rule}: ${result.error}`)).toEqual([]);
    expect(failed).not.toEqual([]);
  });
});

test("every rule has a faulty driver", () => {
  const rules = Array.from({ length: 14 }, (_, i) => `R${i + 1}`);
  expect(rules.filter((rule) => !faultyDrivers.some((fault) => fault.rule === rule))).toEqual([]);
});
