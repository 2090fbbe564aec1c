import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

test("the middleware that is tested is the README's", async () => {
  const [readme, middleware] = await Promise.all(
    ["../README.md", "hono-middleware.ts"].map((path) => readFile(new URL(path, import.meta.url), "utf8")),
  );
  const shown = /app\.use\(.*?\n {2}\}\);\n/s.exec(middleware ?? "")?.[0].replace(/^ {2}/gm, "");
  expect(shown).toContain("withSession(");
  expect(readme).toContain(shown);
});
