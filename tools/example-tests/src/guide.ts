import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A block of a guide that a reader writes down: a whole file, or a change of one. */
export interface Block {
  readonly path: string;
  readonly kind: "file" | "diff";
  readonly text: string;
}

const GREEN = /^Green now: .*$/gm;

/** The path of a guide in docs/. */
export const guideAt = (name: string): string =>
  fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));

/** Returns the blocks before each line `Green now: …` of a guide. */
export function readSteps(guide: string): (readonly Block[])[] {
  return readFileSync(guide, "utf8")
    .split(GREEN)
    .slice(0, -1)
    .map((part) =>
      [...part.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(([, language, path = "", text = ""]) => ({
        path,
        kind: language === "diff" ? "diff" : "file",
        text,
      })),
    );
}

/** Returns a guide with these lists in those lines. */
export function withGreen(guide: string, lists: readonly string[]): string {
  let i = 0;
  return readFileSync(guide, "utf8").replace(GREEN, () => `Green now: ${lists[i++]}`);
}

/** Copies the folder of the step before, and writes a step's blocks down in it. Node caches modules by their paths. */
export function writeStep(before: string, folder: string, blocks: readonly Block[]): void {
  cpSync(before, folder, { recursive: true });
  for (const { path, kind, text } of blocks) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, kind === "file" ? text : patched(readFileSync(file, "utf8"), text, path));
  }
}

/** Applies a change of the guide to a file. Each part of the diff must match exactly once. */
function patched(before: string, diff: string, path: string): string {
  let text = before;
  for (const part of diff.split(/^@@.*\n/m)) {
    const lines = part.split("\n").slice(0, -1);
    const side = (other: string) =>
      lines
        .filter((line) => !line.startsWith(other))
        .map((line) => `${line.slice(1)}\n`)
        .join("");
    const [from, to] = [side("+"), side("-")];
    const found = text.split(from).length - 1;
    if (found !== 1) throw new Error(`${path}: this is there ${found} times:\n${from}`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** Turns R1.1 R1.2 R1.3 R2.1 into a guide's form: R1.1-R1.3, R2.1. */
export function compact(rules: readonly string[]): string {
  const ranges: [rule: string, first: number, last: number][] = [];
  const letter = rules[0]?.charAt(0);
  const numbers = rules.map((rule) => rule.slice(1).split(".").map(Number));
  for (const [rule = 0, clause = 0] of numbers.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d)) {
    const range = ranges.at(-1);
    if (range?.[0] === `${letter}${rule}` && range[2] === clause - 1) range[2] = clause;
    else ranges.push([`${letter}${rule}`, clause, clause]);
  }
  return ranges
    .map(([rule, first, last]) => (first === last ? `${rule}.${first}` : `${rule}.${first}-${rule}.${last}`))
    .join(", ");
}
