import { PROMISES } from "../promises.ts";
import type { Report, Result } from "../run.ts";
import type { Rule, Target } from "../target.ts";

/** The order of a report's columns. */
export const STATUSES: readonly Result["status"][] = ["passed", "failed", "skipped"];

/** The results of one promise's clauses. */
export interface PromiseSummary {
  readonly promise: string;
  /** The promise's heading in SPEC.md. */
  readonly heading: string;
  readonly counts: Readonly<Record<Result["status"], number>>;
}

/** A report by promise, in the order of SPEC.md. */
export function byPromise({ results }: Report): PromiseSummary[] {
  return Object.entries(PROMISES).flatMap(([promise, heading]) => {
    const own = results.filter(({ rule }) => rule.split(".")[0] === promise);
    const count = (status: Result["status"]) => own.filter((result) => result.status === status).length;
    const counts = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
    return own.length > 0 ? [{ promise, heading, counts }] : [];
  });
}

/** Splits a result's title from the reason why it was skipped. */
export function titleAndReason({ title, status }: Result): { title: string; reason: string | undefined } {
  const at = status === "skipped" ? title.indexOf(" (skipped: ") : -1;
  if (at < 0) return { title, reason: undefined };
  return { title: title.slice(0, at), reason: title.slice(at + " (skipped: ".length, -1) };
}

/** The clauses that were left out, by reason. */
export function skips({ results }: Report): [reason: string, rules: Rule[]][] {
  const groups = new Map<string, Rule[]>();
  for (const result of results) {
    const { reason } = titleAndReason(result);
    if (reason !== undefined) groups.set(reason, [...(groups.get(reason) ?? []), result.rule]);
  }
  return [...groups];
}

/** The version of HTTP over which the target was tested. */
export const protocolOf = ({ http2 }: Target): string => `HTTP/${http2 ? "2" : "1.1"}`;

/** The run in one sentence. Failures come first. */
export function verdict({ passed, failed, skipped, results }: Report): string {
  const of = `of ${results.length} clauses`;
  if (failed > 0) return `${failed} ${of} failed, ${passed} passed, ${skipped} skipped`;
  return skipped > 0 ? `${passed} ${of} passed, ${skipped} skipped` : `${passed} ${of} passed`;
}
