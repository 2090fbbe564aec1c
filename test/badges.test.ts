import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const drivers = readdirSync(new URL("../examples", import.meta.url)).filter((name) =>
  name.startsWith("driver-"),
);
const clauses = read("SPEC.md").match(/^- \*\*R\d+\.\d+\*\*/gm)?.length;

// If it fails: `pnpm run conformance --out .` in the example's folder.
test.each(drivers)("the badge of examples/%s is of the kit as it is, and no clause failed", (name) => {
  const badge = read(`examples/${name}/conformance.svg`);
  const [, passed, all, , skipped = "0"] = /(\d+) of (\d+) clauses(, (\d+) skipped)?/.exec(badge) ?? [];
  expect(Number(all)).toBe(clauses);
  expect(Number(passed) + Number(skipped)).toBe(clauses);
});
