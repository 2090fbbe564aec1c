import process from "node:process";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** Says `N passed, N failed, N skipped`; to the parent where it listens (tools/test.mjs), else as the last line. */
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
    const skipped = count.skipped + count.pending;
    const line = `${count.passed} passed, ${count.failed} failed${skipped ? `, ${skipped} skipped` : ""}`;
    if (process.send) process.send(line);
    else process.once("exit", () => console.log(line));
  }
}
