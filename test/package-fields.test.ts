import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { addressIn, changed, faults, withFields, withWholeLinks } from "../tools/package-fields.mjs";

const address = "https://example.org/a/b";

test("every package, README and form is as tools/package-fields.mjs writes it", () => {
  expect([...changed().keys()]).toEqual([]);
  expect(faults()).toEqual([]);
});

test("a package says where it lives, and is published without its source", () => {
  const exports = {
    ".": { "@sessions/source": "./src/index.ts", default: "./dist/index.js" },
    "./package.json": "./package.json",
  };
  const fields = withFields({ name: "@sessions/x", exports }, "packages/x", address);
  expect(fields).toMatchObject({
    exports,
    homepage: `${address}/tree/main/packages/x#readme`,
    bugs: `${address}/issues`,
    repository: { type: "git", url: `git+${address}.git`, directory: "packages/x" },
  });
  expect(fields["publishConfig"]).toEqual({
    access: "public",
    provenance: true,
    exports: { ".": { default: "./dist/index.js" }, "./package.json": "./package.json" },
  });
  expect(addressIn(JSON.stringify(fields))).toBe(address);
  expect(withFields(fields, "packages/x", address)).toEqual(fields);
});

test("links of a README that a registry cannot follow become whole; others and blocks of code stay", () => {
  const readme = [
    "[a](../../SPEC.md#words), [b](../core) and [c](test/runners/)",
    "[d](#limits), [e](https://example.com/x)",
    "```md\n[f](../core)\n```",
    "[g](../../docs/cookies.md)",
  ].join("\n");
  expect(withWholeLinks(readme, "packages/conformance", address)).toBe(
    [
      `[a](${address}/blob/main/SPEC.md#words), [b](${address}/tree/main/packages/core) and ` +
        `[c](${address}/tree/main/packages/conformance/test/runners)`,
      "[d](#limits), [e](https://example.com/x)",
      "```md\n[f](../core)\n```",
      `[g](${address}/blob/main/docs/cookies.md)`,
    ].join("\n"),
  );
});

test("the address stands in the root's package.json", () => {
  const root = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  expect(addressIn(root)).toMatch(/^https:\/\/[^/]+\/[^/]+\/[^/]+$/);
});
