// `pnpm demo`: builds the example and what it needs, and starts it.
import process from "node:process";
import { stage } from "./stage.mjs";

const example = "examples/two-apps";
const built = await stage("Building the example and the packages that it uses", "turbo", [
  "run",
  "build",
  `--filter=./${example}...`,
  "--output-logs=errors-only",
]);
process.exitCode =
  built ||
  // Run Node directly, because pnpm and its shell do not pass signals on.
  (await stage("Starting the example; Ctrl-C ends it", process.execPath, [`${example}/dist/main.js`]));
