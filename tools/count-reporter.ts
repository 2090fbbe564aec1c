import { relative } from "node:path";
import process from "node:process";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

const SHOWN = 10;

/** From its first import to its last hook. What runs beside it on the same core counts too. */
function secondsOf(module: TestModule): number {
  const { prepareDuration, environmentSetupDuration, collectDuration, setupDuration, duration } =
    module.diagnostic();
  return (prepareDuration + environmentSetupDuration + collectDuration + setupDuration + duration) / 1000;
}

const firstLine = (errors: readonly SerializedError[]): string =>
  (errors[0]?.message ?? "no error was told").split("\n", 1).join("").slice(0, 300);

/** A line for each test that failed, each file that failed without a test, and each error outside of both. */
function failuresOf(modules: readonly TestModule[], errors: readonly SerializedError[]): string[] {
  const lines = errors.map((error) => `outside of a test: ${firstLine([error])}`);
  for (const module of modules) {
    if (module.state() !== "failed") continue;
    const file = relative(process.cwd(), module.moduleId);
    const tests = [...module.children.allTests("failed")];
    for (const test of tests)
      lines.push(`${file} > ${test.fullName}: ${firstLine(test.result().errors ?? [])}`);
    // A file that does not load, or whose hooks fail, fails without a failed test.
    if (tests.length === 0) lines.push(`${file}: ${firstLine(module.errors())}`);
  }
  return lines;
}

/**
 * Says which files took longest, and then `N passed, N failed, N skipped`: to the parent where it listens
 * (tools/test.mjs), with what failed, else as the last line.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) for (const test of module.children.allTests()) count[test.result().state]++;
    const failures = failuresOf(modules, errors);
    // A run that tested nothing (a filter that fits no test, a set-up that failed) proves nothing.
    if (count.passed === 0 && failures.length === 0) {
      failures.push("no test was run");
      process.exitCode = 1;
    }
    if (modules.length > 1) {
      console.log("\nThe slowest files, in seconds");
      const files = modules.map((module) => ({ module, seconds: secondsOf(module) }));
      for (const { module, seconds } of files.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN))
        console.log(`${seconds.toFixed(1).padStart(7)}  ${relative(process.cwd(), module.moduleId)}`);
    }
    const { passed } = count;
    const failed = failures.length;
    const skipped = count.skipped + count.pending;
    if (process.send) process.send({ passed, failed, skipped, failures });
    else process.once("exit", () => console.log(lineOf(passed, failed, skipped)));
  }
}

const lineOf = (passed: number, failed: number, skipped: number): string =>
  `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
