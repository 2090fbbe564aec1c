import { backendAdvice } from "./cli/advice-backends.ts";
import { commitAdvice } from "./cli/advice-commits.ts";
import { recordAdvice } from "./cli/advice-records.ts";
import type { Rule } from "./target.ts";

const ADVICE: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...recordAdvice, ...commitAdvice, ...backendAdvice }),
);

/** The rules and clauses that have advice of their own. */
export const advised: readonly string[] = [...ADVICE.keys()];

/** What usually makes a clause fail, and what to change, for the author of a driver; else what is said of its rule. */
export function advice(rule: Rule): string {
  const text = ADVICE.get(rule) ?? ADVICE.get(rule.split(".")[0] ?? rule);
  if (text === undefined) throw new Error(`there is no advice on ${rule}`);
  // They are written in lines that fit the file.
  return text.replace(/\s+/g, " ").trim();
}
