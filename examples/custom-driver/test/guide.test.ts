import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Rule, runConformance, type Target } from "@sessions/conformance";
import { type Block, compact, guideAt, readSteps, withGreen, writeStep } from "@sessions/example-tests/guide";
import { afterAll, describe, expect, test } from "vitest";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const guide = guideAt("writing-a-driver.md");
const example = path("..");
const template = path("../../../packages/create-driver/template");

// Inside this project, so that the guide's imports are found, and in a folder that git ignores.
mkdirSync(join(example, "dist"), { recursive: true });
const walk = mkdtempSync(join(example, "dist/guide-"));
afterAll(() => rmSync(walk, { recursive: true }));

/** Makes a copy of the reader's folder after a step. */
function folderAfter(step: number, blocks: readonly Block[]): string {
  const folder = join(walk, String(step));
  writeStep(step === 0 ? template : join(walk, String(step - 1)), folder, blocks);
  return folder;
}

/** Runs the kit on a folder. Returns, for each clause that was not green before, whether it passed. */
async function clausesIn(folder: string, rules?: readonly Rule[]): Promise<Map<Rule, boolean>> {
  const { target, end }: { target: Target; end: () => Promise<void> } = await import(
    pathToFileURL(join(folder, "test/target.ts")).href
  );
  // A fixed seed, because a clause may pass by luck with one seed and fail with another.
  const { results } = await runConformance(target, { seed: 1, rules });
  await end();
  return new Map(results.map(({ rule, status }) => [rule, status === "passed"]));
}

describe("the guide: writing a driver", () => {
  const steps = readSteps(guide);

  test("what it says to be green after each step is so, and at the end nothing is red", async () => {
    let red: Rule[] | undefined;
    const lists: string[] = [];
    for (const [i, blocks] of steps.entries()) {
      const clauses = await clausesIn(folderAfter(i, blocks), red);
      const which = (green: boolean) => [...clauses.keys()].filter((rule) => clauses.get(rule) === green);
      lists.push(compact(which(true)));
      red = which(false);
    }
    // LevelDB needs no setup, and has no line whose answers could be lost: these are skipped.
    expect(red?.filter((rule) => !/^R(12\.\d+|11\.([7-9]|1[0-3]))$/.test(rule))).toEqual([]);
    // If the kit has changed, `vitest -u` updates the lists. Then read the sentences beside them again.
    await expect(withGreen(guide, lists)).toMatchFileSnapshot(guide);
  }, 120_000);

  // A later step does not test green clauses again. The example's own tests run all clauses on these files.
  const files = ["src/index.ts", "test/target.ts", "test/conformance.test.ts"];
  test.each(files)("at its end the reader has the example's %s", (file) => {
    const [theirs, ours] = [join(walk, String(steps.length - 1)), example].map((folder) =>
      readFileSync(join(folder, file), "utf8"),
    );
    expect(theirs).toBe(ours);
  });

  test("after every step the types are right", { timeout: 60_000 }, () => {
    const options = { extends: "../../../../tsconfig.base.json", compilerOptions: { noUnusedLocals: false } };
    writeFileSync(join(walk, "tsconfig.json"), JSON.stringify({ ...options, include: ["*/src", "*/test"] }));
    const tsc = join(path("../../.."), "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", walk], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
  });
});
