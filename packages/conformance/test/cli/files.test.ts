import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { badgeMessage, badgeOf, markdownOf } from "../../src/cli/files.ts";
import { jsonOf, textOf } from "../../src/cli/text.ts";
import type { Report, Result, Target } from "../../src/index.ts";
import { memoryTarget } from "../targets.ts";
import { faulty, SOUND, workshop } from "./support.ts";

const { folder, write, run } = workshop();
const written = (name: string) => readFile(join(folder(), "made", "here", name), "utf8");

function report(passed: number, failed: number, skipped: number): Report {
  const results = (count: number, status: Result["status"]) =>
    Array.from({ length: count }, (): Result => ({ rule: "R1.1", title: "x (skipped: y)", status }));
  const all = [...results(passed, "passed"), ...results(failed, "failed"), ...results(skipped, "skipped")];
  return { passed, failed, skipped, seed: 1, results: all };
}

describe("--out", () => {
  test("writes a badge and a table that say what the report says, and makes the folder", async () => {
    const module = await write("sound.mjs", SOUND);
    const { status, out, err } = await run([module, "--json", "--out", "made/here"]);
    expect(status).toBe(0);
    expect(err).toContain("Written: conformance.svg and conformance.md in made/here");
    const { passed, skipped, results } = JSON.parse(out);
    const said = `${passed} of ${results.length} clauses, ${skipped} skipped`;
    expect(await written("conformance.svg")).toContain(`<title>sessions: ${said}</title>`);
    const table = await written("conformance.md");
    expect(table).toContain(`**memory**: ${passed} of ${results.length} clauses passed, ${skipped} skipped.`);
    const counts = [...table.matchAll(/^\| R\d+ +\|[^|]+\| *(\d*) *\| *(\d*) *\| *(\d*) *\|$/gm)];
    const sum = (column: number) => counts.reduce((all, row) => all + Number(row[column]), 0);
    expect([sum(1), sum(2), sum(3)]).toEqual([passed, 0, skipped]);
  });

  test("is written for a driver that fails, too", async () => {
    const module = await write("wrong.mjs", faulty("a new expiry revives an expired record"));
    const { status } = await run([module, "--out", "made/here"]);
    expect(status).toBe(1);
    expect(await written("conformance.svg")).toMatch(/<title>sessions: \d+ of \d+ clauses failed<\/title>/);
    expect(await written("conformance.md")).toMatch(/^\| R4 +\| Gone stays gone +\| +\d* \| +[1-9]\d* \|/m);
  });
});

describe("the badge", () => {
  test.each<[Report, string, string]>([
    [report(9, 0, 0), "9 of 9 clauses", "#4b0"],
    [report(7, 0, 2), "7 of 9 clauses, 2 skipped", "#4b0"],
    [report(6, 1, 2), "1 of 9 clauses failed", "#dd4343"],
    [report(0, 0, 9), "0 of 9 clauses, 9 skipped", "#939393"],
  ])("says and shows what came of it: %#", (given, message, colour) => {
    expect(badgeMessage(given)).toBe(message);
    const svg = badgeOf(given);
    expect(svg).toContain(`aria-label="sessions: ${message}"`);
    expect(elements(svg)).toContain("svg");
    expect(svg).toContain(`fill="${colour}"`);
  });
});

describe("what the driver says of itself", () => {
  const profile = ["evicts sessions", "lists by principal only", "100 fields a commit"];
  const said = "; evicts sessions, lists by principal only, 100 fields a commit";

  test("is on the badge and in each report, whatever came of the run", () => {
    for (const given of [report(7, 0, 2), report(9, 0, 0), report(6, 1, 2)]) {
      const told = { ...given, profile };
      expect(badgeMessage(told)).toBe(badgeMessage(given) + said);
      expect(badgeOf(told)).toContain(`aria-label="sessions: ${badgeMessage(given)}${said}"`);
      expect(markdownOf(told, memoryTarget()).split("\n")[0]).toContain(`${said}.`);
      const options = { colour: false, width: 100, cwd: ".", again: "again" };
      expect(textOf(told, memoryTarget(), options)).toContain(said);
      expect(JSON.parse(jsonOf(told, memoryTarget(), "again")).profile).toEqual(profile);
      expect(JSON.parse(jsonOf(given, memoryTarget(), "again"))).not.toHaveProperty("profile");
    }
  });
});

describe("names and reasons that somebody else wrote", () => {
  const hostile =
    "a | b\n\n# c <script>alert(1)</script> [x](javascript:y) `z` \u001b]0;owned\u0007\u001b[31m\u009b1m\u202e";
  const target: Target = { ...memoryTarget(), name: hostile, exclude: [{ rule: "R4.2", reason: hostile }] };
  const given: Report = {
    ...report(0, 0, 0),
    failed: 1,
    skipped: 1,
    results: [
      { rule: "R4.1", title: "x", status: "failed", error: new Error(hostile, { cause: hostile }) },
      { rule: "R4.2", title: `x (skipped: ${hostile})`, status: "skipped" },
    ],
  };
  /** All that is not text, but for the ends of lines. */
  const unseen = /[^\P{C}\n]/u;

  test("do nothing to a terminal", () => {
    const text = textOf(given, target, { colour: false, width: 100, cwd: "/", again: "again" });
    expect(text).toContain("Excluded: a | b # c <script>");
    expect(text).not.toMatch(unseen);
    expect(text, "colours are left out, not spelled").not.toMatch(/u\{001b\}|31m/);
    expect(jsonOf(given, target, "again")).not.toMatch(unseen);
    expect(JSON.parse(jsonOf(given, target, "again")).target).toBe(hostile);
  });

  test("stay text in Markdown, in the one cell that is theirs", () => {
    const markdown = markdownOf(given, target);
    expect(markdown).not.toMatch(unseen);
    expect(markdown).not.toMatch(/^#|(?<!\\)[<`[\]]/m);
    expect(markdown.split("R4.2"), "only among what is excluded").toHaveLength(2);
    const row = markdown.split("\n").find((line) => line.startsWith("| R4.2")) ?? "";
    expect(row.split(/(?<!\\)\|/)).toHaveLength(4);
  });

  test("are not in the badge", () => {
    expect(badgeOf(given)).not.toMatch(/script|owned/);
    expect(badgeOf(given)).not.toMatch(unseen);
  });
});

/** The names of an XML text's elements; throws where one is not closed by its own end. */
function elements(xml: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const rest = xml.replace(
    /<(\/?)([a-zA-Z]+)((?: [a-zA-Z0-9:-]+="[^"<]*")*)(\/?)>/g,
    (_, end, name, __, empty) => {
      names.push(name);
      if (end !== "") expect(open.pop()).toBe(name);
      else if (empty === "") open.push(name);
      return "";
    },
  );
  expect(rest).not.toMatch(/[<>]|&(?!\w+;|#\d+;)/);
  expect(open).toEqual([]);
  return names;
}
