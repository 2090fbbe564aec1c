import type { Driver } from "@sessions/core";
import { checkOptions, isWhole } from "@sessions/core/driver-tools";

/** A rule of SPEC.md (`"R4"`) or one clause of it (`"R4.2"`). */
export type Rule = `R${number}` | `R${number}.${number}`;

/**
 * The driver to test: how to open it, and what its backend can do. Unknown properties are refused, because they may be
 * misspelt. If the target is an instance of a class, keep its own state in `#private` fields.
 */
export interface Target {
  /** The driver's name, for messages: `"redis"`. */
  name: string;
  /**
   * Opens a driver whose records are apart from those of every other namespace. The same namespace opens the same
   * records again. The name matches `[a-z][a-z0-9_]{1,39}`, so that it can be part of a table's name, a prefix, or a
   * folder's name.
   *
   * `outage` is true if the case breaks the line. Give the driver a timeout of a second or less then, and the one of
   * production otherwise, because a busy or distant backend needs it.
   */
  open(namespace: string, about?: { readonly outage: boolean }): Driver | Promise<Driver>;
  /**
   * `false` if a second `open()` of a namespace does not see the records of the first: a backend inside the process.
   * @default true
   */
  shared?: boolean | undefined;
  /** Limits of the backend, if it holds less here than the contract asks for. */
  limits?:
    | {
        /**
         * The most bytes that one record can hold, at least 65,536: the names and texts of all its fields, in UTF-8.
         * @default driver.maxRecordBytes, or 1 MiB
         */
        recordBytes?: number | undefined;
        /**
         * The most fields that one `create` or `commit` takes, at least 100: the driver's `maxFieldsPerCommit`, which
         * must say the same. @default no limit
         */
        fieldsPerCommit?: number | undefined;
      }
    | undefined;
  /**
   * What goes wrong between the drivers that `open` returned and their backend. Without it the kit skips R11.
   * `startProxy` of `@sessions/conformance/proxy` has all three.
   */
  outage?:
    | {
        /** Makes the backend unreachable. */
        cut(): Promise<void>;
        /** Brings it back. */
        restore(): Promise<void>;
        /**
         * Loses one answer and stays up: the backend does what it is asked next, and the driver does not hear of it.
         * Without it the kit skips the clauses about lost answers.
         */
        drop?: (() => Promise<void>) | undefined;
      }
    | undefined;
  /** Rules or clauses that this driver cannot keep, each with its reason. The kit reports them as skipped. */
  exclude?: readonly { rule: Rule; reason: string }[] | undefined;
}

/** How messages about a target begin. */
const WHERE = "conformance";
/** The least that each limit may be. */
const LEAST = { recordBytes: 65_536, fieldsPerCommit: 100 };

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
    demand(isNotBlank(reason), `target.exclude[${i}].reason`, "a sentence that gives the reason", reason);
    seen.add(rule);
  }
}

/** Whether `rule` is that clause, or the rule to which the clause belongs. */
export function covers(rule: unknown, clause: Rule): boolean {
  return rule === clause || rule === clause.split(".")[0];
}

/**
 * Refuses a target that the kit cannot work with.
 *
 * @throws SessionConfigError for an unknown property.
 * @throws TypeError that names the property, the expected value and the given one.
 */
export function checkTarget(target: Target, clauses: readonly Rule[]): void {
  demand(isObject(target), "target", "an object with `name` and `open`", target);
  checkOptions(WHERE, target, ["name", "open", "shared", "limits", "outage", "exclude"], "target.");
  // Read as unknown: the kit is called from JavaScript too.
  const { name, open, shared, limits, outage, exclude }: { [K in keyof Target]: unknown } = target;
  demand(isNotBlank(name), "target.name", "the driver's name", name);
  demand(typeof open === "function", "target.open", "a function that returns a driver", open);
  demand(shared === undefined || typeof shared === "boolean", "target.shared", "true or false", shared);
  if (limits !== undefined) {
    demand(isObject(limits), "target.limits", "an object with `recordBytes` or `fieldsPerCommit`", limits);
    checkOptions(WHERE, limits, ["recordBytes", "fieldsPerCommit"], "target.limits.");
    for (const [name, least] of Object.entries(LEAST)) {
      const limit = limits[name];
      const fits = limit === undefined || isWhole(limit, least);
      demand(fits, `target.limits.${name}`, `a whole number of at least ${least}`, limit);
    }
  }
  if (outage !== undefined) {
    demand(isObject(outage), "target.outage", "an object with `cut` and `restore`", outage);
    checkOptions(WHERE, outage, ["cut", "restore", "drop"], "target.outage.");
    const { cut, restore, drop } = outage;
    demand(typeof cut === "function", "target.outage.cut", "a function", cut);
    demand(typeof restore === "function", "target.outage.restore", "a function", restore);
    demand(drop === undefined || typeof drop === "function", "target.outage.drop", "a function", drop);
  }
  if (exclude !== undefined) checkExclusions(exclude, clauses);
}
