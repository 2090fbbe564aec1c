import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** What a module loads with it: files of this package, and modules of Node. Types and `import()` are left out. */
function loadedWith(file: URL, loaded: Set<string> = new Set()): Set<string> {
  if (loaded.has(file.href)) return loaded;
  loaded.add(file.href);
  const code = readFileSync(file, "utf8");
  for (const [, clause = "", name = ""] of code.matchAll(/^(?:import|export) ([^;]*?) from "([^"]+)";$/gm)) {
    if (clause.startsWith("type ")) continue;
    if (name.startsWith(".")) loadedWith(new URL(name, file), loaded);
    else loaded.add(name);
  }
  return loaded;
}

test("importing the package loads neither Node's file system nor what few programs call", () => {
  const loaded = [...loadedWith(new URL("../src/index.ts", import.meta.url))];
  const names = loaded.map((name) => name.replace(/.*\//, ""));
  expect(names).toContain("manager.ts");
  for (const name of ["administration.ts", "by-id.ts"]) expect(names).not.toContain(name);
  for (const name of ["node:fs", "node:module", "node:path", "node:url"]) expect(loaded).not.toContain(name);
});
