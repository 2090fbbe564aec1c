import { describe, expect, test } from "vitest";
import { runConformance } from "../src/index.ts";
import { faultyDrivers } from "./faulty-drivers.ts";

/**
 * Runs the whole kit on each faulty driver of some rules. Two files share the rules, and so the machine's cores.
 */
export function testFaults(rules: readonly number[]): void {
  const chosen = faultyDrivers.filter(({ rule }) => rules.includes(Number(rule.slice(1))));

  describe("a driver with one fault fails the rule beside it, and no other", () => {
    test.each(chosen.map((one) => [`${one.rule} ${one.fault}`, one] as const))(
      "%s",
      { timeout: 60_000 },
      async (_, { rule, target }) => {
        const { results } = await runConformance(target());
        const failed = results.filter(({ status }) => status === "failed");
        const others = failed.filter((result) => !result.rule.startsWith(`${rule}.`));
        expect(others.map((result) => `${result.rule}: ${result.error}`)).toEqual([]);
        expect(failed).not.toEqual([]);
      },
    );
  });

  test("each of these rules has a faulty driver", () => {
    expect(new Set(chosen.map(({ rule }) => Number(rule.slice(1))))).toEqual(new Set(rules));
  });
}
