// `pnpm demo`: builds the example and what it needs, and starts it.
import process from "node:process";
import { stage } from "./stage.mjs";

const example = "examples/two-apps";
/** @type {[title: string, command: string, ...args: string[]][]} */
const steps = [
  ["Building the packages", "turbo", "run", "build", "--output-logs=errors-only"],
  ["Installing what the example needs", "pnpm", "--dir", "examples", "--filter", "two-apps", "install"],
  ["Building the example", "pnpm", "--dir", example, "run", "build"],
  // Node itself: pnpm and its shell would not pass a signal on.
  ["Starting the example; Ctrl-C ends it", process.execPath, `${example}/dist/main.js`],
];
for (const [title, command, ...args] of steps) {
  process.exitCode = await stage(title, command, args);
  if (process.exitCode !== 0) break;
}
