import { createRequire } from "node:module";
import process from "node:process";
import { project } from "../../vitest.base.ts";

/** Whether better-sqlite3 is there: npm skips it on machines that can neither fetch nor compile its binary. */
function isInstalled(): boolean {
  try {
    const Database = createRequire(import.meta.url)("better-sqlite3");
    new Database(":memory:").close();
    return true;
  } catch {
    return false;
  }
}

const installed = isInstalled();
if (!installed && process.env["CI"] === "true")
  throw new Error("The tests of SQLite must run on CI, but better-sqlite3 could not be installed");
if (!installed)
  console.warn(
    "\n  THE TESTS OF SQLITE ARE SKIPPED: better-sqlite3 could not be installed. It needs its prebuilt binary from the " +
      "internet, or a C++ compiler, make and Python to build it: then run pnpm rebuild better-sqlite3.\n",
  );

export default project("driver-sqlite", {
  ...(!installed && { include: [], passWithNoTests: true }),
  // For busy machines. No test waits for this time to pass.
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
