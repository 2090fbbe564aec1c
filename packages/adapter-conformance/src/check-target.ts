import { checkOptions } from "@sessions/core/adapter-tools";
import { ABILITIES, type Rule, type Target } from "./target.ts";

/** How messages about a target begin. */
const WHERE = "adapter-conformance";

function demand(condition: boolean, what: string, expected: string, got: unknown): asserts condition {
  if (condition) return;
  const shown = typeof got === "string" ? JSON.stringify(got) : got === null ? "null" : typeof got;
  throw new TypeError(`${WHERE}: ${what} must be ${expected}, not ${shown}`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
const isNotBlank = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";

/** Whether `rule` is that clause, or the promise to which the clause belongs. */
export function covers(rule: unknown, clause: Rule): boolean {
  return rule === clause || rule === clause.split(".")[0];
}

function checkExclusions(exclude: unknown, clauses: readonly Rule[]): void {
  demand(Array.isArray(exclude), "target.exclude", "an array of { rule, reason }", exclude);
  const seen = new Set<unknown>();
  for (const [i, entry] of exclude.entries()) {
    demand(isObject(entry), `target.exclude[${i}]`, "{ rule, reason }", entry);
    checkOptions(WHERE, entry, ["rule", "reason"], `target.exclude[${i}].`);
    const { rule, reason } = entry;
    const known = clauses.some((clause) => covers(rule, clause));
    demand(known, `target.exclude[${i}].rule`, "a promise or clause of SPEC.md (H4, H4.2)", rule);
    demand(!seen.has(rule), `target.exclude[${i}].rule`, "named once", rule);
    demand(isNotBlank(reason), `target.exclude[${i}].reason`, "a sentence that gives the reason", reason);
    seen.add(rule);
  }
}

/**
 * Refuses a target that the kit cannot work with.
 *
 * @throws SessionConfigError for an unknown property.
 * @throws TypeError that names the property, the expected value and the given one.
 */
export function checkTarget(target: Target, clauses: readonly Rule[]): void {
  demand(isObject(target), "target", "an object with `name` and `start`", target);
  const known = ["name", "start", "abilities", "http2", "connect", "exclude"] as const;
  checkOptions(WHERE, target, known, "target.");
  // Read as unknown: the kit is called from JavaScript too.
  const { name, start, abilities = [], http2, connect, exclude }: { [K in keyof Target]: unknown } = target;
  demand(isNotBlank(name), "target.name", "the adapter's name", name);
  demand(typeof start === "function", "target.start", "a function that starts a server", start);
  demand(Array.isArray(abilities), "target.abilities", "an array of names", abilities);
  for (const ability of abilities)
    demand(
      Object.keys(ABILITIES).some((one) => one === ability),
      "each of target.abilities",
      `one of ${Object.keys(ABILITIES).join(", ")}`,
      ability,
    );
  demand(http2 === undefined || typeof http2 === "boolean", "target.http2", "true or false", http2);
  demand(connect === undefined || typeof connect === "function", "target.connect", "a function", connect);
  if (exclude !== undefined) checkExclusions(exclude, clauses);
}
