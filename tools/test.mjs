// `pnpm test`: builds, runs every test, and says the count as the last line, whatever happened.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stage } from "./stage.mjs";

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
// What is said where the run breaks off before a test could be counted.
let count = "0 passed, 1 failed";

const built = await stage("Building every package (the tests of the tarballs need it)", "turbo", [
  "run",
  "build",
  "--output-logs=errors-only",
]);
if (built === 0) {
  const args = [vitest, "run", ...process.argv.slice(2)];
  process.exitCode = await stage("Running every test of every package", process.execPath, args, (line) => {
    count = line;
  });
} else {
  process.exitCode = built;
  console.error("The build failed, so no test was run. That counts as one failure.");
}
console.log(`\n${count}`);
