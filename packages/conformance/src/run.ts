import { cases } from "./cases/index.ts";
import { type Case, missingInTarget, runCase } from "./kit.ts";
import { within } from "./support.ts";
import { checkTarget, covers, type Rule, type Target } from "./target.ts";

/** A test runner's `test`: vitest's, jest's, node:test's, mocha's and bun's all fit. */
export interface TestFunction {
  (title: string, fn: () => Promise<void>): unknown;
  /** Registers a test that is not run. */
  skip(title: string, fn: () => Promise<void>): unknown;
}

/** What came of a run of the kit. */
export interface Report {
  /** Cases that passed. */
  passed: number;
  /** Cases that failed. */
  failed: number;
  /** Cases that were excluded, or do not apply. */
  skipped: number;
  /** One for each case, in the order of the run; a skipped one's title ends with the reason. */
  results: { rule: Rule; title: string; status: "passed" | "failed" | "skipped"; error?: unknown }[];
}

/** So that a driver which never answers is a failed case, and not a run that never ends. */
const CASE_MS = 30_000;

/** Why a case is not run, as far as that is known before a driver is opened. */
function skipReason({ rule, needs }: Case, target: Target): string | undefined {
  const excluded = target.exclude?.find((entry) => covers(entry.rule, rule));
  return excluded?.reason ?? missingInTarget(needs, target);
}

function checked(target: Target): Target {
  checkTarget(
    target,
    cases.map(({ rule }) => rule),
  );
  return target;
}

/** Skips the test that is running, by what its runner hands it; jest and bun have no such thing. */
function skipRunning(context: unknown, reason: string): void {
  // vitest's context is a function with properties.
  const holds = typeof context === "function" || (typeof context === "object" && context !== null);
  if (holds && "skip" in context && typeof context.skip === "function") context.skip(reason);
}

/**
 * Registers every case of the kit as a test of the caller's runner, with titles such as
 * `R3.4 concurrent commits to different fields all survive`.
 *
 * @throws TypeError where the target or `test` cannot work, or an exclusion names no rule or gives no reason.
 */
export function testDriver({ test, target }: { test: TestFunction; target: Target }): void {
  if (typeof test !== "function" || typeof test.skip !== "function")
    throw new TypeError("conformance: test must be a runner's test function, with a `skip` of its own");
  checked(target);
  for (const one of cases) {
    const title = `${one.rule} ${one.title}`;
    const reason = skipReason(one, target);
    if (reason !== undefined) test.skip(`${title} (skipped: ${reason})`, async () => {});
    // The runner's context is taken from `arguments` or `this`: of a declared parameter jest and mocha would think
    // that it is a callback to wait for.
    else
      test(title, async function (this: unknown) {
        const missing = await runCase(target, one);
        // biome-ignore lint/complexity/noArguments: see above
        if (missing !== undefined) skipRunning(arguments[0] ?? this, missing);
      });
  }
}

/**
 * Runs every case of the kit, one after the other, and reports. Rejects only where the target itself cannot work.
 */
export async function runConformance(target: Target): Promise<Report> {
  checked(target);
  const report: Report = { passed: 0, failed: 0, skipped: 0, results: [] };
  for (const one of cases) {
    const { rule, title } = one;
    try {
      const reason =
        skipReason(one, target) ?? (await within(CASE_MS, runCase(target, one), "the case did not end"));
      const status = reason === undefined ? "passed" : "skipped";
      report[status]++;
      report.results.push({
        rule,
        title: reason === undefined ? title : `${title} (skipped: ${reason})`,
        status,
      });
    } catch (error) {
      report.failed++;
      report.results.push({ rule, title, status: "failed", error });
    }
  }
  return report;
}
