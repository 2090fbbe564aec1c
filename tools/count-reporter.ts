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

/**
 * Says which files took longest, and then `N passed, N failed, N skipped`: to the parent where it listens
 * (tools/test.mjs), else as the last line.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const before = count.failed;
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that does not load, or whose hooks fail, fails without a failed test.
      if (module.state() === "failed" && count.failed === before) count.failed++;
    }
    // A run that tested nothing (a filter that fits no test, a set-up that failed) proves nothing.
    if (count.passed === 0 && count.failed === 0) {
      count.failed = 1;
      process.exitCode = 1;
    }
    if (modules.length > 1) {
      console.log("\nThe slowest files, in seconds");
      const files = modules.map((module) => ({ module, seconds: secondsOf(module) }));
      for (const { module, seconds } of files.sort((a, b) => b.seconds - a.seconds).slice(0, SHOWN))
        console.log(`${seconds.toFixed(1).padStart(7)}  ${relative(process.cwd(), module.moduleId)}`);
    }
    const { passed, failed } = count;
    const skipped = count.skipped + count.pending;
    if (process.send) process.send({ passed, failed, skipped });
    else process.once("exit", () => console.log(lineOf(passed, failed, skipped)));
  }
}

const lineOf = (passed: number, failed: number, skipped: number): string =>
  `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
