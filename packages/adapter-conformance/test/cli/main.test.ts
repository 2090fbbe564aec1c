import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { badgeOf, markdownOf } from "../../src/cli/files.ts";
import { main } from "../../src/cli/main.ts";
import type { Result } from "../../src/index.ts";

/** Runs the command in this folder. */
async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const status = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    colour: false,
    live: false,
    width: 100,
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  });
  return { status, out, err };
}

test("a right adapter: status 0, a row for each promise, and what was left out", async () => {
  const { status, out } = await run("./right.js");
  expect(status).toBe(0);
  expect(out).toMatch(/^H1 +A write is stored before the client can ask again +4 +3$/m);
  expect(out).toMatch(/^H14 +A request keeps its session alive +1 +1$/m);
  expect(out).toContain('without the ability "streams": bodies that are streams\n    H1.5, H1.6, H1.7, ');
  expect(out).toMatch(/\nright over HTTP\/1.1: 68 of 98 clauses passed, 30 skipped\n$/);
});

test("a wrong adapter: status 1, and each failed clause with what was seen and what to change", async () => {
  const { status, out } = await run("./wrong.js", "--rule", "H10.5", "--rule", "H8");
  expect(status).toBe(1);
  expect(out).toMatch(/^H10 +Down is not logged out +1$/m);
  expect(out).toMatch(/^H8 +One read, and at most one write +3$/m);
  expect(out).toContain(
    "H10.5 if the backend is down at a visitor's write, the response is an error page, and the session stays as it was\n  Seen\n",
  );
  expect(out).toContain(
    "  What to change\n    The backend's error must reach the framework's error handling,",
  );
  expect(out).toMatch(/\nwrong over HTTP\/1.1: 1 of 4 clauses failed, 3 passed, 0 skipped\n$/);
});

test("--out writes a badge and a table that say what the report says, and makes the folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "adapter-conformance-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const out = join(folder, "made", "here");
  const { status, err } = await run("./right.js", "--out", out);
  expect(status).toBe(0);
  expect(err).toContain(`Written: conformance.svg and conformance.md in ${out}`);
  const written = (name: string) => readFileSync(join(out, name), "utf8");
  expect(written("conformance.svg")).toContain("<title>sessions: 68 of 98 clauses, 30 skipped</title>");
  const table = written("conformance.md");
  expect(table).toContain("**right** over HTTP/1.1: 68 of 98 clauses passed, 30 skipped.\n");
  expect(table).toMatch(/^\| H14 +\| A request keeps its session alive +\| +1 \| +\| +1 \|$/m);
  expect(table).toMatch(/^\| H14\.2 +\| without the ability "touch": the option touch +\|$/m);
});

test("a badge and a table are written for an adapter that fails, too; a name in them stays text", () => {
  const results: Result[] = [
    { rule: "H8.1", title: "x", status: "failed", error: new Error("no") },
    { rule: "H8.2", title: "x (skipped: a | [b](c))", status: "skipped" },
  ];
  const report = { passed: 0, failed: 1, skipped: 1, results };
  const target = { name: "<b>*mine*</b>", http2: true, start: () => expect.unreachable() };
  expect(badgeOf(report)).toContain("<title>sessions: 1 of 2 clauses failed</title>");
  expect(markdownOf(report, target)).toContain(
    "**\\<b\\>\\*mine\\*\\</b\\>** over HTTP/2: 1 of 2 clauses failed",
  );
  expect(markdownOf(report, target)).toMatch(/^\| H8\.2 +\| a \\\| \\\[b\\\]\(c\) +\|$/m);
});

test("--json prints the report for programs", async () => {
  const { status, out } = await run("./wrong.js", "--json", "--rule", "H10.5", "--rule", "H14");
  expect(status).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    target: "wrong",
    http2: false,
    passed: 1,
    failed: 1,
    skipped: 1,
    results: [
      { rule: "H10.5", status: "failed", error: { name: "AssertionError" }, advice: expect.any(String) },
      { rule: "H14.1", status: "passed" },
      { rule: "H14.2", status: "skipped", reason: 'without the ability "touch": the option touch' },
    ],
  });
});

test.each<[string, string[], string]>([
  ["no module", [], "Name the module to test"],
  ["two modules", ["./right.js", "./wrong.js"], "Name only one module"],
  ["a missing module", ["./none.js"], "./none.js: there is no such file"],
  ["a module without a target", ["./no-target.js"], "expected its default export, or an export named target"],
  ["an unknown option", ["./right.js", "--jsn"], 'Did you mean "--json"?'],
  ["--out with --rule", ["./right.js", "--out", ".", "--rule", "H4"], "cannot be combined with --rule"],
  ["--out without a folder", ["./right.js", "--out", ""], "--out must name a folder"],
  [
    "--out below a file",
    ["./right.js", "--out", "./right.js/x"],
    "the folder ./right.js/x cannot be created",
  ],
  ["an unknown promise", ["./right.js", "--rule", "H99"], 'such as H4 or H4.2, not "H99"'],
])("%s: status 2, and what to change", async (_, args, message) => {
  const { status, out, err } = await run(...args);
  expect([status, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});

test("--help and --version print, and end with status 0", async () => {
  expect(await run("--help")).toMatchObject({ status: 0, out: expect.stringContaining("--rule <rule>") });
  expect(await run("--version")).toMatchObject({
    status: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});
