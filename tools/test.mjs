// `pnpm test`, and its quick, its long and its whole form: runs tests, and says the count as the last line, whatever
// happened. Which files belong to a level is said in vitest.base.ts; what follows the level goes to vitest.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stage } from "./stage.mjs";

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));

/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

/** @type {Record<string, string>} */
const titles = {
  quick: "Running the tests that need no server, with fewer cases each",
  usual: "Running every package's tests, but not those that take long",
  rest: "Running what takes long",
};
const [command = "", ...args] = process.argv.slice(2);
const levels = command === "all" ? ["usual", "rest"] : [command];

/** @type {Count} */
const sum = { passed: 0, failed: 0, skipped: 0 };
/** @type {(count: Count) => void} */
function add({ passed, failed, skipped }) {
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
}

/** @type {(level: string) => Promise<number>} */
async function run(level) {
  /** What is said where the run breaks off before a test could be counted. */
  let count = { passed: 0, failed: 1, skipped: 0 };
  process.env["SESSIONS_TEST_LEVEL"] = level;
  const code = await stage(titles[level] ?? level, process.execPath, [vitest, "run", ...args], (message) => {
    count = /** @type {Count} */ (message);
  });
  add(count);
  return code;
}

for (const level of levels) process.exitCode = (await run(level)) || process.exitCode;
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
console.log(`\n${sum.passed} passed, ${sum.failed} failed${skipped}`);
