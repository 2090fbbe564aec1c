import { backendAdvice } from "./cli/advice-backends.ts";
import { commitAdvice } from "./cli/advice-commits.ts";
import { recordAdvice } from "./cli/advice-records.ts";
import type { Rule } from "./target.ts";

const ADVICE: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...recordAdvice, ...commitAdvice, ...backendAdvice }),
);

/** The rules and clauses that have their own advice. */
export const advised: readonly string[] = [...ADVICE.keys()];

/**
 * What usually makes a clause fail, and what the author of the driver should change. Without its own advice, the
 * rule's.
 */
export function advice(rule: Rule): string {
  const text = ADVICE.get(rule) ?? ADVICE.get(rule.split(".")[0] ?? rule);
  if (text === undefined) throw new Error(`there is no advice on ${rule}`);
  // In the source the texts are wrapped.
  return text.replace(/\s+/g, " ").trim();
}
