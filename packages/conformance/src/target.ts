import type { Driver } from "@sessions/core";
import { checkOptions } from "@sessions/core/driver-tools";

/** A rule of SPEC.md (`"R4"`) or one clause of it (`"R4.2"`). */
export type Rule = `R${number}` | `R${number}.${number}`;

/**
 * What the kit tests: how to open a driver, and what its backend can and cannot do. A property that is not one of these
 * is refused, as it may be a misspelt one; an instance of a class keeps its own in `#private` fields.
 */
export interface Target {
  /** For messages: `"redis"`. */
  name: string;
  /**
   * A driver whose records are apart from every other namespace's: the same namespace, the same records. The name
   * matches `[a-z][a-z0-9_]{1,39}`, so that it can be part of a table's name, a prefix, or a folder's name.
   */
  open(namespace: string): Driver | Promise<Driver>;
  /**
   * `false` where a second `open()` of a namespace does not see the first's records: a backend inside the process.
   * @default true
   */
  shared?: boolean | undefined;
  /** Where the backend, as it is set up here, holds less than the contract asks for. */
  limits?:
    | {
        /** The most bytes that one record may hold, at least 65,536. @default driver.maxRecordBytes, or 1 MiB */
        recordBytes?: number | undefined;
      }
    | undefined;
  /** Makes the backend unreachable for the drivers that `open` answered, and reachable again; lets R11 be tested. */
  outage?: { cut(): Promise<void>; restore(): Promise<void> } | undefined;
  /** Rules or clauses that this driver cannot keep, each with its reason: reported as skipped, not run. */
  exclude?: readonly { rule: Rule; reason: string }[] | undefined;
}

/** Begins the messages about a target, which comes from a module as often as from a call. */
const WHERE = "conformance";
const LEAST_RECORD_BYTES = 65_536;

function demand(condition: boolean, what: string, expected: string, got: unknown): asserts condition {
  if (condition) return;
  const shown = typeof got === "string" ? JSON.stringify(got) : got === null ? "null" : typeof got;
  throw new TypeError(
    `conformance: ${what} must be ${expected}, not ${typeof got === "number" ? got : shown}`,
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
const isNotBlank = (value: unknown): value is string => typeof value === "string" && value.trim() !== "";

function checkExclusions(exclude: unknown, clauses: readonly Rule[]): void {
  demand(Array.isArray(exclude), "target.exclude", "an array of { rule, reason }", exclude);
  const seen = new Set<unknown>();
  for (const [i, entry] of exclude.entries()) {
    demand(isObject(entry), `target.exclude[${i}]`, "{ rule, reason }", entry);
    checkOptions(WHERE, entry, ["rule", "reason"], `target.exclude[${i}].`);
    const { rule, reason } = entry;
    const known = clauses.some((clause) => covers(rule, clause));
    demand(known, `target.exclude[${i}].rule`, "a rule or clause of SPEC.md (R4, R4.2)", rule);
    demand(!seen.has(rule), `target.exclude[${i}].rule`, "named once", rule);
    demand(isNotBlank(reason), `target.exclude[${i}].reason`, "a sentence that says why", reason);
    seen.add(rule);
  }
}

/** Whether `rule` is that clause, or the rule that it belongs to. */
export function covers(rule: unknown, clause: Rule): boolean {
  return rule === clause || rule === clause.split(".")[0];
}

/**
 * Refuses a target that the kit cannot work with.
 *
 * @throws SessionConfigError for a property that a target does not have.
 * @throws TypeError that names the property, what was expected, and what was given.
 */
export function checkTarget(target: Target, clauses: readonly Rule[]): void {
  demand(isObject(target), "target", "an object with `name` and `open`", target);
  checkOptions(WHERE, target, ["name", "open", "shared", "limits", "outage", "exclude"], "target.");
  // Read as unknown: the kit is called from JavaScript too.
  const { name, open, shared, limits, outage, exclude }: { [K in keyof Target]: unknown } = target;
  demand(isNotBlank(name), "target.name", "the driver's name", name);
  demand(typeof open === "function", "target.open", "a function that answers a driver", open);
  demand(shared === undefined || typeof shared === "boolean", "target.shared", "true or false", shared);
  if (limits !== undefined) {
    demand(isObject(limits), "target.limits", "an object with `recordBytes`", limits);
    checkOptions(WHERE, limits, ["recordBytes"], "target.limits.");
    const { recordBytes } = limits;
    demand(
      recordBytes === undefined ||
        (Number.isSafeInteger(recordBytes) && Number(recordBytes) >= LEAST_RECORD_BYTES),
      "target.limits.recordBytes",
      `a whole number of at least ${LEAST_RECORD_BYTES}`,
      recordBytes,
    );
  }
  if (outage !== undefined) {
    demand(isObject(outage), "target.outage", "an object with `cut` and `restore`", outage);
    checkOptions(WHERE, outage, ["cut", "restore"], "target.outage.");
    const { cut, restore } = outage;
    demand(typeof cut === "function", "target.outage.cut", "a function", cut);
    demand(typeof restore === "function", "target.outage.restore", "a function", restore);
  }
  if (exclude !== undefined) checkExclusions(exclude, clauses);
}
