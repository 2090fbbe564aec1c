import type { Report, Result } from "../run.ts";
import { covers, type Rule, type Target } from "../target.ts";

/** The rules' headings in SPEC.md. */
const HEADINGS: Record<string, string> = {
  R1: "Create makes a record, or nothing",
  R2: "Load returns the record as it is stored",
  R3: "Commit merges, all of it or nothing",
  R4: "Gone stays gone",
  R5: "Compare-and-set",
  R6: "The version counts",
  R7: "Destroy returns true once",
  R8: "Sweep removes what has expired, and only that",
  R9: "What comes out is what went in",
  R10: "What was acknowledged is there",
  R11: "Away is an error, not an answer",
  R12: "Setup, check, teardown",
  R13: "Lists",
  R14: "Apart, byte by byte",
};

/** The results of one rule's clauses. */
export interface RuleSummary {
  readonly rule: string;
  readonly heading: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The clauses that were skipped for one reason. */
export interface Skips {
  readonly reason: string;
  /** `true` if the target's `exclude` names them. The others do not apply, or could not be tested. */
  readonly excluded: boolean;
  readonly rules: readonly Rule[];
}

/** The rule of a clause. */
export const ruleOf = (clause: string): string => clause.split(".")[0] ?? clause;

/** A rule's heading in SPEC.md. */
export const headingOf = (rule: string): string => HEADINGS[rule] ?? "";

/** Rules or clauses in the order of SPEC.md. */
function inOrder<T>(items: readonly T[], rule: (item: T) => string): T[] {
  return [...items].sort((a, b) => rule(a).localeCompare(rule(b), "en", { numeric: true }));
}

/** A report by rule, in the order of SPEC.md. */
export function byRule({ results }: Report): RuleSummary[] {
  const rules = new Set(inOrder(results, ({ rule }) => rule).map(({ rule }) => ruleOf(rule)));
  return [...rules].map((rule) => {
    const own = results.filter((result) => ruleOf(result.rule) === rule);
    const count = (status: Result["status"]) => own.filter((result) => result.status === status).length;
    return {
      rule,
      heading: headingOf(rule),
      passed: count("passed"),
      failed: count("failed"),
      skipped: count("skipped"),
    };
  });
}

/** Splits a result's title from the reason why it was skipped. */
export function titleAndReason({ title, status }: Result): { title: string; reason: string | undefined } {
  const at = status === "skipped" ? title.indexOf(" (skipped: ") : -1;
  if (at < 0) return { title, reason: undefined };
  return { title: title.slice(0, at), reason: title.slice(at + " (skipped: ".length, -1) };
}

/** The skipped clauses by reason. Clauses that the target excludes come first. */
export function skips({ results }: Report, target: Target): Skips[] {
  const groups = new Map<string, { reason: string; excluded: boolean; rules: Rule[] }>();
  for (const result of inOrder(results, ({ rule }) => rule)) {
    if (result.status !== "skipped") continue;
    const excluded = target.exclude?.some((entry) => covers(entry.rule, result.rule)) === true;
    const { reason = "" } = titleAndReason(result);
    const group = groups.get(`${excluded} ${reason}`) ?? { reason, excluded, rules: [] };
    group.rules.push(result.rule);
    groups.set(`${excluded} ${reason}`, group);
  }
  return [...groups.values()].sort((a, b) => Number(b.excluded) - Number(a.excluded));
}

/** What the driver says of itself, to follow a count. Empty if there is nothing. */
export const profileText = ({ profile = [] }: Report): string =>
  profile.length > 0 ? `; ${profile.join(", ")}` : "";

/** The run in one sentence. Failures come first. */
export function verdict(report: Report): string {
  const { passed, failed, skipped, results } = report;
  const of = `of ${results.length} clauses`;
  const left = skipped > 0 ? `, ${skipped} skipped` : "";
  const counts =
    failed > 0
      ? `${failed} ${of} failed, ${passed} passed, ${skipped} skipped`
      : `${passed} ${of} passed${left}`;
  return counts + profileText(report);
}
