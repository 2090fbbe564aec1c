import { randomInt } from "node:crypto";
import process from "node:process";
import { checkOptions } from "@sessions/core/driver-tools";
import { cases } from "./cases/index.ts";
import { type Case, missingInTarget, runCase } from "./kit.ts";
import { checkTarget, covers, type Rule, type Target } from "./target.ts";

/** A test runner's `test`: vitest's, jest's, node:test's, mocha's and bun's all fit. */
export interface TestFunction {
  (title: string, fn: () => Promise<void>): unknown;
  /** Registers a test that is not run. */
  skip(title: string, fn: () => Promise<void>): unknown;
}

/** What came of one case. */
export interface Result {
  /** The clause of SPEC.md. */
  rule: Rule;
  /** What the case checks; where it was skipped, the reason is at the end. */
  title: string;
  /** `"skipped"`: excluded, or it does not apply. */
  status: "passed" | "failed" | "skipped";
  /** What the case threw. */
  error?: unknown;
}

/** What came of a run of the kit. */
export interface Report {
  /** Cases that passed. */
  passed: number;
  /** Cases that failed. */
  failed: number;
  /** Cases that were excluded, or do not apply. */
  skipped: number;
  /** What the random cases began with; given again, the same calls are made again. */
  seed: number;
  /** One for each case, in the order of the run. */
  results: Result[];
}

/** How a run goes; every property may be left out. */
export interface RunOptions {
  /**
   * What the random cases begin with: a whole number from 0 to 2,147,483,647.
   * @default the environment's `SESSIONS_CONFORMANCE_SEED`, else a random one
   */
  seed?: number | undefined;
  /**
   * Rules (`"R4"`) or clauses (`"R4.2"`) to run, and no others.
   * @default every one
   */
  rules?: readonly Rule[] | undefined;
  /** Called after each case, for whoever waits: its result, how many are done, how many there are. */
  onResult?: ((result: Result, done: number, total: number) => void) | undefined;
}

/** Why a case is not run, as far as that is known before a driver is opened. */
function skipReason({ rule, needs }: Case, target: Target): string | undefined {
  const excluded = target.exclude?.find((entry) => covers(entry.rule, rule));
  return excluded?.reason ?? missingInTarget(needs, target);
}

const LARGEST_SEED = 0x7fffffff;

/** The seed that was given, or the environment's, or one that nobody has chosen. */
function checkedSeed(given: unknown): number {
  const text = process.env["SESSIONS_CONFORMANCE_SEED"];
  const [name, seed] =
    given !== undefined ? ["seed", given] : ["SESSIONS_CONFORMANCE_SEED", text ? Number(text) : undefined];
  if (seed === undefined) return randomInt(LARGEST_SEED);
  if (typeof seed === "number" && Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) return seed;
  throw new TypeError(
    `conformance: ${name} must be a whole number from 0 to ${LARGEST_SEED}, not ${given ?? text}`,
  );
}

function chosenCases(rules: readonly Rule[] | undefined): readonly Case[] {
  if (rules === undefined) return cases;
  for (const rule of rules)
    if (!cases.some((one) => covers(rule, one.rule)))
      throw new TypeError(`conformance: rules must be rules or clauses of SPEC.md (R4, R4.2), not "${rule}"`);
  return cases.filter((one) => rules.some((rule) => covers(rule, one.rule)));
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
 * @throws SessionConfigError for an option, or a property of the target, that is unknown.
 */
export function testDriver(options: {
  test: TestFunction;
  target: Target;
  /** As in `RunOptions`. */
  seed?: number | undefined;
}): void {
  checkOptions("testDriver", options, ["test", "target", "seed"]);
  const { test, target, seed } = options;
  if (typeof test !== "function" || typeof test.skip !== "function")
    throw new TypeError("conformance: test must be a runner's test function, with a `skip` of its own");
  checked(target);
  const begin = checkedSeed(seed);
  for (const one of cases) {
    const title = `${one.rule} ${one.title}`;
    const reason = skipReason(one, target);
    if (reason !== undefined) test.skip(`${title} (skipped: ${reason})`, async () => {});
    // The runner's context is taken from `arguments` or `this`: of a declared parameter jest and mocha would think
    // that it is a callback to wait for.
    else
      test(title, async function (this: unknown) {
        const missing = await runCase(target, one, begin);
        // biome-ignore lint/complexity/noArguments: see above
        if (missing !== undefined) skipRunning(arguments[0] ?? this, missing);
      });
  }
}

async function runOne(one: Case, target: Target, seed: number): Promise<Result> {
  const { rule, title } = one;
  try {
    const reason = skipReason(one, target) ?? (await runCase(target, one, seed));
    if (reason === undefined) return { rule, title, status: "passed" };
    return { rule, title: `${title} (skipped: ${reason})`, status: "skipped" };
  } catch (error) {
    return { rule, title, status: "failed", error };
  }
}

/**
 * Runs every case of the kit, one after the other, and reports. Rejects only where the target itself, or an option,
 * cannot work.
 *
 * @throws TypeError that names the property, what was expected, and what was given.
 * @throws SessionConfigError for an option, or a property of the target, that is unknown.
 */
export async function runConformance(target: Target, options: RunOptions = {}): Promise<Report> {
  checkOptions("runConformance", options, ["seed", "rules", "onResult"]);
  checked(target);
  const seed = checkedSeed(options.seed);
  const chosen = chosenCases(options.rules);
  const report: Report = { passed: 0, failed: 0, skipped: 0, seed, results: [] };
  for (const one of chosen) {
    const result = await runOne(one, target, seed);
    report[result.status]++;
    report.results.push(result);
    options.onResult?.(result, report.results.length, chosen.length);
  }
  return report;
}
