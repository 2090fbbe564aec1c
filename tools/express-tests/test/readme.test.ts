import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

it("the README's table has the versions that the tests run", () => {
  const installed: Record<string, string> = JSON.parse(read("package.json")).devDependencies;
  const rows = [...read("README.md").matchAll(/^\| ([@\w./-]+) \| (\d[\d.]*) \|/gm)];
  expect(rows).toHaveLength(15);
  for (const [, name = "", version] of rows) expect([name, installed[name]]).toEqual([name, version]);
});
