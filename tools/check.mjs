// `pnpm check` finds faults that lint and types do not see: unused code and dependencies, wrong packages, sizes.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pack, publishable } from "./publishable.mjs";
import { stage } from "./stage.mjs";

const folder = mkdtempSync(join(tmpdir(), "sessions-check-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** @type {string[]} */
const failed = [];
/** @type {(title: string, command: string, args: string[]) => Promise<void>} */
async function check(title, command, args) {
  if ((await stage(title, command, args)) !== 0) failed.push(title);
}

await check("Imports between rooms and packages", "depcruise", [
  "--config",
  "dependency-cruiser.config.mjs",
  // Folders, because the program looks for a pattern in node_modules too.
  ...readdirSync("packages").map((name) => `packages/${name}/src`),
]);
await check("Unused files, exports and dependencies", "knip", []);
await check("Addresses, keywords and links of the packages", process.execPath, ["tools/package-fields.mjs"]);
// Workspaces of their own, each looked at where it was installed, and its `types` run, as on CI.
const made = { examples: "examples/sveltekit/.svelte-kit", bench: "bench/node_modules" };
for (const [workspace, folder] of Object.entries(made))
  if (existsSync(folder)) await check(`Unused things in ${workspace}`, "knip", ["--directory", workspace]);
await check("Building", "turbo", ["run", "build", "--output-logs=errors-only"]);
if (failed.at(-1) !== "Building") {
  for (const one of publishable()) {
    const tarball = await pack(one, folder);
    await check(`${one.name}: publint`, "publint", ["run", "--strict", tarball]);
    await check(`${one.name}: are the types wrong`, "attw", [
      "--profile",
      "esm-only",
      "--no-summary",
      tarball,
    ]);
  }
  await check("Budgets", process.execPath, ["tools/check-budgets.mjs"]);
}

console.log(failed.length > 0 ? `\nFailed: ${failed.join(", ")}` : "\nEvery check passed.");
process.exitCode = failed.length > 0 ? 1 : 0;
