import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { cases } from "../src/cases/index.ts";

const clauses = cases.length;
const folder = fileURLToPath(new URL("../", import.meta.url));

/** Runs Node in the package's folder, with what was built. */
function node(...args: string[]) {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"] };
  return spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
}

test("the cases run in node:test, which shows what was skipped", () => {
  const { status, stdout } = node("--test", "--test-reporter=tap", "test/runners/node.test.js");
  const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(stdout)?.[1]);
  expect(status).toBe(0);
  expect(count("pass") + count("skipped")).toBe(clauses);
  expect(count("skipped")).toBeGreaterThan(0);
  expect(stdout).toContain("H8.1 a first write causes one create, and sends one cookie");
});

test("the command ends with 0 for a right adapter, 1 for a wrong one, and 2 if there is none", () => {
  const results = ["./test/cli/right.js", "./test/cli/wrong.js", "./none.js"].map((module) =>
    node("bin.js", module),
  );
  expect(results.map(({ status }) => status)).toEqual([0, 1, 2]);
  expect(results.map(({ stdout }) => stdout.trim().split("\n").at(-1))).toEqual([
    expect.stringMatching(new RegExp(`^right over HTTP/1\\.1: \\d+ of ${clauses} clauses passed, `)),
    expect.stringMatching(new RegExp(`^wrong over HTTP/1\\.1: \\d+ of ${clauses} clauses failed, `)),
    "",
  ]);
});
