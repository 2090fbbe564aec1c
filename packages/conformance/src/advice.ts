import { backendAdvice } from "./cli/advice-backends.ts";
import { commitAdvice } from "./cli/advice-commits.ts";
import { outageAdvice } from "./cli/advice-outages.ts";
import { recordAdvice } from "./cli/advice-records.ts";
import { stepAdvice, troubleAdvice } from "./cli/advice-trouble.ts";
import type { Result } from "./run.ts";
import type { Rule } from "./target.ts";
import { troubleOf } from "./trouble.ts";

const ADVICE: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...recordAdvice, ...commitAdvice, ...backendAdvice, ...outageAdvice }),
);

/** The rules and clauses that have their own advice. */
export const advised: readonly string[] = [...ADVICE.keys()];

// In the source the texts are wrapped.
const unwrapped = (text: string): string => text.replace(/\s+/g, " ").trim();

/**
 * What usually makes a clause fail, and what the author of the driver should change. Without its own advice, the
 * rule's.
 */
export function advice(rule: Rule): string {
  const text = ADVICE.get(rule) ?? ADVICE.get(rule.split(".")[0] ?? rule);
  if (text === undefined) throw new Error(`there is no advice on ${rule}`);
  return unwrapped(text);
}

/** Advice on a case that failed. It goes by the error that was seen first, which may tell of the backend. */
export function adviceOn({ rule, error, step, before }: Result): string {
  const own = step === undefined ? undefined : stepAdvice[step];
  if (own !== undefined) return unwrapped(own);
  // While the backend is cut off, its errors are what the case is about.
  const trouble = rule.startsWith("R11.") && !step?.startsWith("before ") ? undefined : troubleOf(error);
  if (trouble !== undefined) return unwrapped(troubleAdvice[trouble]);
  const first = before && troubleOf(before.error);
  if (first === undefined) return advice(rule);
  return `${unwrapped(troubleAdvice[first])} If the clause still fails without that: ${advice(rule)}`;
}
