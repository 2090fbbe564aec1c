import { randomInt } from "node:crypto";
import process from "node:process";
import { checkOptions } from "@sessions/core/driver-tools";
import { cases } from "./cases/index.ts";
import { checkEnvironment, ENVIRONMENT, line } from "./environment.ts";
import { type Case, missingInTarget, type Notes, runCase } from "./kit.ts";
import { observed } from "./profile.ts";
import { checkTarget, covers, type Rule, type Target } from "./target.ts";

/** The `test` function of a runner: vitest, jest, node:test, mocha and bun all fit. */
export interface TestFunction {
  /** Registers a test. */
  (title: string, fn: () => Promise<void>): unknown;
  /** Registers a test that is not run. */
  skip(title: string, fn: () => Promise<void>): unknown;
}

/** The result of one case. */
export interface Result {
  /** The clause of SPEC.md. */
  rule: Rule;
  /** The case's title; if it was skipped, followed by the reason. */
  title: string;
  /** `"skipped"`: the target excludes the clause, or it does not apply. */
  status: "passed" | "failed" | "skipped";
  /** The error of a failed case. */
  error?: unknown;
  /** What a failed case was doing, if it was not in its own calls: `"setup()"`, `"after outage.restore()"`. */
  step?: string;
  /**
   * The first call of a failed case that rejected because of the backend (away, late, refusing), although no outage was
   * asked for. What the case failed for may only follow from it.
   */
  before?: { call: string; error: unknown };
}

/** The result of {@link runConformance}. */
export interface Report {
  /** How many cases passed. */
  passed: number;
  /** How many cases failed. */
  failed: number;
  /** How many cases were excluded or do not apply. */
  skipped: number;
  /** The seed of the random cases. Pass it again to make the same calls again. */
  seed: number;
  /** One result for each case, in the order of the run. */
  results: Result[];
  /**
   * What the driver says of itself that its users must know: `"evicts sessions"`, `"lists by principal only"`,
   * `"100 fields a commit"`. Missing if there is nothing.
   */
  profile?: readonly string[];
}

/** Options of {@link runConformance}. */
export interface RunOptions {
  /**
   * The seed of the random cases: a whole number from 0 to 2,147,483,647.
   * @default the environment's `SESSIONS_CONFORMANCE_SEED`, else a random one
   */
  seed?: number | undefined;
  /**
   * The rules (`"R4"`) or clauses (`"R4.2"`) to run.
   * @default every one
   */
  rules?: readonly Rule[] | undefined;
  /** Called after each case with its result, the number of cases done and the number of all cases, to show progress. */
  onResult?: ((result: Result, done: number, total: number) => void) | undefined;
}

/** The reason to skip a case, as far as it is known before a driver is opened. */
function skipReason({ rule, needs }: Case, target: Target): string | undefined {
  const excluded = target.exclude?.find((entry) => covers(entry.rule, rule));
  return excluded?.reason ?? missingInTarget(needs, target);
}

const LARGEST_SEED = 0x7fffffff;

/** The given seed, or the one in the environment, or a random one. */
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

/** Skips the running test by the runner's test context. jest and bun pass no such context. */
function skipRunning(context: unknown, reason: string): void {
  // vitest's context is a function with properties.
  const holds = typeof context === "function" || (typeof context === "object" && context !== null);
  if (holds && "skip" in context && typeof context.skip === "function") context.skip(reason);
}

/**
 * Registers every case of the kit as a test of the caller's runner, with titles such as
 * `R3.4 concurrent commits to different fields all survive`.
 *
 * @throws TypeError if the target or `test` is wrong, or an exclusion names no rule or gives no reason.
 * @throws SessionConfigError for an unknown option or an unknown property of the target.
 * @example
 * import { testDriver } from "@sessions/conformance";
 * import { memoryDriver } from "@sessions/core/memory";
 * import { test } from "vitest";
 *
 * const drivers = new Map<string, ReturnType<typeof memoryDriver>>();
 * testDriver({
 *   test,
 *   target: {
 *     name: "memory",
 *     shared: false,
 *     open(namespace) {
 *       const driver = drivers.get(namespace) ?? memoryDriver();
 *       drivers.set(namespace, driver);
 *       return driver;
 *     },
 *   },
 * });
 */
export function testDriver(options: {
  /** The runner's own `test`. */
  test: TestFunction;
  /** The driver to test. */
  target: Target;
  /** As in {@link RunOptions}. */
  seed?: number | undefined;
}): void {
  checkOptions("testDriver", options, ["test", "target", "seed"]);
  const { test, target, seed } = options;
  if (typeof test !== "function" || typeof test.skip !== "function")
    throw new TypeError(
      "conformance: test must be the test function of a runner, with a method skip, such as test of vitest",
    );
  checked(target);
  const begin = checkedSeed(seed);
  const environment = onlyOnce(() => checkEnvironment(target));
  if (cases.some((one) => skipReason(one, target) === undefined))
    test(ENVIRONMENT, async () => {
      await environment.tell();
    });
  for (const one of cases) {
    const title = `${one.rule} ${one.title}`;
    const reason = skipReason(one, target);
    if (reason !== undefined) test.skip(`${title} (skipped: ${reason})`, async () => {});
    // Read the runner's context from `arguments` or `this`: jest and mocha take a declared parameter for a callback
    // that the test calls at its end.
    else
      test(title, async function (this: unknown) {
        const missing = (await environment.tell()) ?? (await runTold(target, one, begin));
        // biome-ignore lint/complexity/noArguments: see above
        if (missing !== undefined) skipRunning(arguments[0] ?? this, missing);
      });
  }
}

/**
 * Makes a check when the first test asks for it. That test fails if the check does, and all later ones are told to skip:
 * a runner may leave out the test of the environment itself.
 */
function onlyOnce(check: () => Promise<void>): { tell(): Promise<string | undefined> } {
  let checked: Promise<void> | undefined;
  let told = false;
  return {
    async tell() {
      checked ??= check();
      try {
        await checked;
        return undefined;
      } catch (error) {
        if (told) return "the environment is not ready";
        told = true;
        throw error;
      }
    },
  };
}

/** Runs a case for a runner, which shows nothing but the error's message. */
async function runTold(target: Target, one: Case, seed: number): Promise<string | undefined> {
  const notes: Notes = {};
  try {
    return await runCase(target, one, seed, notes);
  } catch (error) {
    const { step, trouble } = notes;
    const beside = [
      ...(step === undefined ? [] : [`It failed in this step: ${step}.`]),
      ...(trouble === undefined || trouble.error === error
        ? []
        : [`Before that, ${trouble.call} rejected, which tells of the backend: ${line(trouble.error)}.`]),
    ];
    if (beside.length === 0) throw error;
    throw new Error([line(error), ...beside].join("\n"), { cause: error });
  }
}

async function runOne(one: Case, target: Target, seed: number): Promise<Result> {
  const { rule, title } = one;
  const notes: Notes = {};
  try {
    const reason = skipReason(one, target) ?? (await runCase(target, one, seed, notes));
    if (reason === undefined) return { rule, title, status: "passed" };
    return { rule, title: `${title} (skipped: ${reason})`, status: "skipped" };
  } catch (error) {
    const { step, trouble } = notes;
    const before = trouble && trouble.error !== error && { call: trouble.call, error: trouble.error };
    return { rule, title, status: "failed", error, ...(step && { step }), ...(before && { before }) };
  }
}

/**
 * Runs every case of the kit, one after the other, without a test runner. A case that fails is in the report. Rejects
 * if the target or an option is wrong, or if the target's backend is not there.
 *
 * @throws TypeError that names the property, the expected value and the given one.
 * @throws SessionConfigError for an unknown option or an unknown property of the target.
 * @throws DriverUnavailableError if no clause can be tested: opening a driver, its setup or a first load failed.
 * @example
 * import { runConformance, type Target } from "@sessions/conformance";
 *
 * declare const target: Target;
 * const { failed, results } = await runConformance(target, { rules: ["R4"] });
 * for (const { rule, title, status, error } of results)
 *   if (status === "failed") console.log(rule, title, error);
 * if (failed > 0) throw new Error(`${failed} clauses failed`);
 */
export async function runConformance(target: Target, options: RunOptions = {}): Promise<Report> {
  checkOptions("runConformance", options, ["seed", "rules", "onResult"]);
  checked(target);
  const seed = checkedSeed(options.seed);
  const chosen = chosenCases(options.rules);
  if (chosen.some((one) => skipReason(one, target) === undefined)) await checkEnvironment(target);
  const report: Report = { passed: 0, failed: 0, skipped: 0, seed, results: [] };
  const { target: opening, profile } = observed(target);
  for (const one of chosen) {
    const result = await runOne(one, opening, seed);
    report[result.status]++;
    report.results.push(result);
    options.onResult?.(result, report.results.length, chosen.length);
  }
  if (profile.size > 0) report.profile = [...profile];
  return report;
}
