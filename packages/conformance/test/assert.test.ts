import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as assert from "../src/assert.ts";
import { runConformance } from "../src/index.ts";
import { simpleDriver } from "./simple-driver.ts";

test("an assertion that fails says what was expected and what was seen", () => {
  expect(() => assert.equal("gone", "committed", "commit")).toThrow(
    /^commit: expected 'committed', seen 'gone'$/,
  );
  expect(() => assert.deepEqual(new Set(["gone"]), new Set(), "the results")).toThrow(
    /^the results: expected Set\(0\) \{\}, seen Set\(1\) \{ 'gone' \}$/,
  );
  expect(() => assert.ok(false, "a must be b, not c")).toThrow(/^a must be b, not c$/);
  expect(() => assert.equal("x".repeat(100_000), "y", "load")).toThrow(/^.{1,200}$/);
  expect(() => assert.deepEqual([1, new Map([["a", 1]])], [1, new Map([["a", 1]])], "same")).not.toThrow();
});

test("the kit asserts with nothing else, so that no clause fails with a bare `false == true`", async () => {
  const src = fileURLToPath(new URL("../src", import.meta.url));
  const files = (await readdir(src, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const bare: string[] = [];
  for (const file of files)
    if (file !== "assert.ts" && (await readFile(`${src}/${file}`, "utf8")).includes("node:assert"))
      bare.push(file);
  expect(bare).toEqual([]);
});

test("a wrong driver is told what its call returned", async () => {
  const open = () =>
    Object.assign(
      simpleDriver(() => new Map()),
      { sweep: async () => 1_000, destroy: async () => true },
    );
  const { results } = await runConformance(
    { name: "wrong", shared: false, open },
    { rules: ["R7.1", "R8.1"] },
  );
  expect(results.map(({ error }) => (error instanceof Error ? error.message : error))).toEqual([
    "destroy: expected false, seen true",
    "a sweep of 3 records must not return 1000",
  ]);
});
