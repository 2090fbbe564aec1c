import { describe, expect, test } from "vitest";
import { runConformance } from "../src/index.ts";
import type { Fault } from "./faults/fault.ts";

/**
 * Runs the whole kit on each faulty adapter, several at a time: a case waits more than it computes. Two files share the
 * faults, and so the machine's cores.
 */
export function testFaults(faults: readonly Fault[]): void {
  describe("an adapter with one fault fails the clauses beside it, and no other", () => {
    test.concurrent.each(faults.map((one) => [`${one.rules[0]} ${one.fault}`, one] as const))(
      "%s",
      { timeout: 120_000 },
      async (_, { rules, target }) => {
        const { results } = await runConformance(target);
        const failed = results.filter(({ status }) => status === "failed");
        const others = failed.filter(({ rule }) => !rules.includes(rule));
        expect(others.map(({ rule, error }) => `${rule}: ${error}`)).toEqual([]);
        expect(failed.map(({ rule }) => rule).toSorted()).toEqual(rules.toSorted());
      },
    );
  });
}
