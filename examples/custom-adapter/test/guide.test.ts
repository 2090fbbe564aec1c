import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Rule, runConformance, type Target } from "@sessions/adapter-conformance";
import { type Block, compact, guideAt, readSteps, withGreen, writeStep } from "@sessions/example-tests/guide";
import { afterAll, describe, expect, test } from "vitest";

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const guide = guideAt("writing-an-adapter.md");
const example = path("..");
const template = path("../../../packages/create-adapter/template");

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

/** Runs the kit on a folder. Returns the clauses that passed and those that failed. */
async function clausesIn(folder: string): Promise<{ green: Rule[]; red: Rule[] }> {
  const { target }: { target: Target } = await import(pathToFileURL(join(folder, "test/target.ts")).href);
  const { results } = await runConformance(target);
  const having = (wanted: string) =>
    results.filter(({ status }) => status === wanted).map(({ rule }) => rule);
  return { green: having("passed"), red: having("failed") };
}

describe("the guide: writing an adapter", () => {
  const steps = readSteps(guide);

  test("what it says to be green after each step is so, stays so, and at the end nothing is red", async () => {
    let before: Rule[] = [];
    let left: Rule[] = [];
    const lists: string[] = [];
    for (const [i, blocks] of steps.entries()) {
      const { green, red } = await clausesIn(folderAfter(i, blocks));
      expect(red.filter((rule) => before.includes(rule))).toEqual([]);
      lists.push(compact(green.filter((rule) => !before.includes(rule))));
      before = green;
      left = red;
    }
    expect(left).toEqual([]);
    // If the kit has changed, `vitest -u` updates the lists. Then read the sentences beside them again.
    await expect(withGreen(guide, lists)).toMatchFileSnapshot(guide);
  }, 120_000);

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
