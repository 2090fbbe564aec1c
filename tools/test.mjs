// `pnpm test`, its quick, its long and its whole form, and the one on the newest servers: runs tests, and says the count
// as the last line, whatever happened. Which files belong to a level is said in vitest.base.ts; what follows the level goes to vitest.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stage } from "./stage.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number, failures?: readonly string[] }} Count */

const [command = "", ...args] = process.argv.slice(2);
const isCalled = (/** @type {string[]} */ ...levels) => levels.includes(command);

const sum = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} Said at the end, where a reader of a long log looks first. */
const failures = [];
/** @type {(title: string, count: Count) => void} */
function add(title, { passed, failed, skipped, failures: its = failed ? ["it broke off"] : [] }) {
  failures.push(...its.map((line) => `${title}: ${line}`));
  sum.passed += passed;
  sum.failed += failed;
  sum.skipped += skipped;
}

/**
 * Each is done only where those before it went well; where one of them breaks off, that counts as a failure.
 *
 * @param {readonly [title: string, command: string, ...args: string[]][]} steps
 */
async function prepare(steps) {
  for (const [title, ...rest] of steps) {
    const [program, ...its] = rest;
    const code = await stage(title, program, its);
    if (code === 0) continue;
    process.exitCode = code;
    console.error(`"${title}" failed, so the tests after it were not run. That counts as one failure.`);
    add(title, { passed: 0, failed: 1, skipped: 0 });
    return false;
  }
  return true;
}

/** @type {(title: string, level: string, workspace?: string, more?: readonly string[]) => Promise<void>} */
async function run(title, level, workspace = ".", more = []) {
  const path = (/** @type {string} */ name) =>
    fileURLToPath(new URL(`../${workspace}/${name}`, import.meta.url));
  /** What is said where the run breaks off before a test could be counted. */
  let count = { passed: 0, failed: 1, skipped: 0 };
  process.env["SESSIONS_TEST_LEVEL"] = level;
  const vitest = [path("node_modules/vitest/vitest.mjs"), "run", "--root", path(""), ...more, ...args];
  const code = await stage(title, process.execPath, vitest, (message) => {
    count = /** @type {Count} */ (message);
  });
  add(title, count);
  process.exitCode = code || process.exitCode;
}

const NEWEST = "Fetching the newest servers";
const fetchNewest = ["--silent", "--filter", "@sessions/test-services", "newest"];

/**
 * Redis and Valkey are servers of one driver, so Valkey has a run of its own.
 *
 * @type {(what: string, level: string, more?: readonly string[]) => Promise<void>}
 */
async function runOnNewest(what, level, more = []) {
  process.env["SESSIONS_TEST_SERVERS"] = "newest";
  const drivers = ["redis", "mysql", "postgres", "mongodb"].map((name) => `--project=driver-${name}`);
  await run(`Running ${what} on the newest servers`, level, ".", [...drivers, ...more]);
  process.env["SESSIONS_TEST_REDIS_SERVER"] = "valkey-server";
  await run(`Running ${what} on Valkey`, level, ".", ["--project=driver-redis", ...more]);
  delete process.env["SESSIONS_TEST_REDIS_SERVER"];
  delete process.env["SESSIONS_TEST_SERVERS"];
}

if (isCalled("servers")) {
  if (await prepare([[NEWEST, "pnpm", ...fetchNewest]]))
    for (const level of ["usual", "rest"]) await runOnNewest(`every test (${level})`, level);
} else if (isCalled("quick"))
  await run("Running the tests that need no server, with fewer cases each", "quick");
else if (await prepare([["Building every package", "turbo", "run", "build", "--output-logs=errors-only"]])) {
  if (isCalled("usual", "all")) await run("Running the rules of every package, on every backend", "usual");
  if (isCalled("rest", "all")) {
    await run("Running what takes long", "rest");
    // Their frameworks are installed for nothing else.
    const ready = await prepare([
      ["Installing the frameworks of the examples", "pnpm", "--dir", "examples", "install"],
      ["Building the examples", "pnpm", "--dir", "examples", "run", "build"],
    ]);
    if (ready) await run("Running the examples", "all", "examples");
  }
  if (isCalled("all")) {
    const code = await stage(NEWEST, "pnpm", fetchNewest);
    if (code === 0) await runOnNewest("the kit", "usual", ["test/conformance.test.ts"]);
    else {
      console.error("The newest servers were NOT TESTED: they could not be fetched, see above.");
      add(NEWEST, { passed: 0, failed: 0, skipped: 1 });
    }
  }
}

if (failures.length > 0) console.log(`\nWhat failed\n${failures.join("\n")}`);
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
console.log(`\n${sum.passed} passed, ${sum.failed} failed${skipped}`);
