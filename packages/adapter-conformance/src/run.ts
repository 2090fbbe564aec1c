import { checkOptions } from "@sessions/core/adapter-tools";
import { cases } from "./cases/index.ts";
import { checkTarget, covers } from "./check-target.ts";
import { type Case, missingIn, runCase } from "./kit.ts";
import type { Rule, Target } from "./target.ts";

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
  /** The clause's sentence; if the case was skipped, followed by the reason. */
  title: string;
  /** `"skipped"`: the target excludes the clause, or does not have the ability that the clause needs. */
  status: "passed" | "failed" | "skipped";
  /** The error of a failed case. */
  error?: unknown;
}

/** The result of {@link runConformance}. */
export interface Report {
  /** How many cases passed. */
  passed: number;
  /** How many cases failed. */
  failed: number;
  /** How many cases were skipped. */
  skipped: number;
  /** One result for each case, in the order of SPEC.md. */
  results: Result[];
}

/** Options of {@link runConformance}. */
export interface RunOptions {
  /**
   * The promises (`"H4"`) or clauses (`"H4.2"`) to run.
   * @default every one
   */
  rules?: readonly Rule[] | undefined;
  /** Called after each case with its result, the number of cases done and the number of all cases, to show progress. */
  onResult?: ((result: Result, done: number, total: number) => void) | undefined;
}

function skipReason({ rule, needs }: Case, target: Target): string | undefined {
  const excluded = target.exclude?.find((entry) => covers(entry.rule, rule));
  return excluded?.reason ?? missingIn(target, needs);
}

const skippedTitle = (title: string, reason: string): string => `${title} (skipped: ${reason})`;

function chosenCases(rules: readonly Rule[] | undefined): readonly Case[] {
  if (rules === undefined) return cases;
  for (const rule of rules)
    if (!cases.some((one) => covers(rule, one.rule)))
      throw new TypeError(
        `adapter-conformance: rules must be promises or clauses of SPEC.md (H4, H4.2), not "${rule}"`,
      );
  return cases.filter((one) => rules.some((rule) => covers(rule, one.rule)));
}

function checked(target: Target): Target {
  checkTarget(
    target,
    cases.map(({ rule }) => rule),
  );
  return target;
}

/**
 * Registers every case of the kit as a test of the caller's runner, with titles such as
 * `H8.1 a first write causes one create, and sends one cookie`. Run them one after the other: some of them change
 * `process.env.NODE_ENV` for a moment.
 *
 * @throws TypeError if the target or `test` is wrong, or an exclusion names no promise or gives no reason.
 * @throws SessionConfigError for an unknown option or an unknown property of the target.
 * @example
 * import { once } from "node:events";
 * import http from "node:http";
 * import { test } from "node:test";
 * import { testAdapter } from "@sessions/adapter-conformance";
 * import type { Session, SessionManager } from "@sessions/core";
 *
 * // The adapter under test: opens a session, and calls back with it, or with an error.
 * declare function openMine(
 *   sessions: SessionManager,
 *   req: http.IncomingMessage,
 *   res: http.ServerResponse,
 *   next: (error: unknown, session: Session) => void,
 * ): void;
 *
 * testAdapter({
 *   test,
 *   target: {
 *     name: "mine",
 *     async start({ sessions, handler, onError }) {
 *       const server = http.createServer((req, res) => {
 *         const fail = (error: unknown) => {
 *           onError(error);
 *           res.writeHead(500).end("error page");
 *         };
 *         openMine(sessions, req, res, (error, session) => {
 *           if (error) return fail(error);
 *           const { method = "", url = "" } = req;
 *           handler({ session, method, url }).then(({ status = 200, headers = {}, body, redirect }) => {
 *             for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
 *             if (redirect !== undefined) res.writeHead(303, { Location: redirect }).end();
 *             else res.writeHead(status).end(typeof body === "string" ? body : "");
 *           }, fail);
 *         });
 *       });
 *       await once(server.listen(0, "127.0.0.1"), "listening");
 *       const address = server.address();
 *       const port = typeof address === "object" ? address?.port : undefined;
 *       return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
 *     },
 *   },
 * });
 */
export function testAdapter(options: {
  /** The runner's own `test`. */
  test: TestFunction;
  /** The adapter to test. */
  target: Target;
}): void {
  checkOptions("testAdapter", options, ["test", "target"]);
  const { test, target } = options;
  if (typeof test !== "function" || typeof test.skip !== "function")
    throw new TypeError(
      "adapter-conformance: test must be the test function of a runner, with a method skip, such as test of vitest",
    );
  checked(target);
  for (const one of cases) {
    const title = `${one.rule} ${one.title}`;
    const reason = skipReason(one, target);
    if (reason !== undefined) test.skip(skippedTitle(title, reason), async () => {});
    else test(title, () => runCase(target, one));
  }
}

async function runOne(one: Case, target: Target): Promise<Result> {
  const { rule, title } = one;
  const reason = skipReason(one, target);
  if (reason !== undefined) return { rule, title: skippedTitle(title, reason), status: "skipped" };
  try {
    await runCase(target, one);
    return { rule, title, status: "passed" };
  } catch (error) {
    return { rule, title, status: "failed", error };
  }
}

/**
 * Runs every case of the kit, one after the other, without a test runner. A case that fails is in the report. Rejects
 * only if the target or an option is wrong.
 *
 * @throws TypeError that names the property, the expected value and the given one.
 * @throws SessionConfigError for an unknown option or an unknown property of the target.
 * @example
 * import { runConformance, type Target } from "@sessions/adapter-conformance";
 *
 * declare const target: Target;
 * const { failed, results } = await runConformance(target, { rules: ["H4"] });
 * for (const { rule, title, status, error } of results)
 *   if (status === "failed") console.log(rule, title, error);
 * if (failed > 0) throw new Error(`${failed} clauses failed`);
 */
export async function runConformance(target: Target, options: RunOptions = {}): Promise<Report> {
  checkOptions("runConformance", options, ["rules", "onResult"]);
  checked(target);
  const chosen = chosenCases(options.rules);
  const report: Report = { passed: 0, failed: 0, skipped: 0, results: [] };
  for (const one of chosen) {
    const result = await runOne(one, target);
    report[result.status]++;
    report.results.push(result);
    options.onResult?.(result, report.results.length, chosen.length);
  }
  return report;
}
