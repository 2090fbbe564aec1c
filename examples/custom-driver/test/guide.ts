import { readFileSync } from "node:fs";

/** A block of the guide that a reader writes down: a whole file, or a change of one. */
export interface Block {
  readonly path: string;
  readonly kind: "file" | "diff";
  readonly text: string;
}

/** The guide's file. */
export const guide: URL = new URL("../../../docs/writing-a-driver.md", import.meta.url);

const GREEN = /^Green now: .*$/gm;

/** Returns the blocks before each line `Green now: …` of the guide. */
export function readSteps(): (readonly Block[])[] {
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

/** Returns the guide with these lists in those lines. */
export function withGreen(lists: readonly string[]): string {
  let i = 0;
  return readFileSync(guide, "utf8").replace(GREEN, () => `Green now: ${lists[i++]}`);
}

/** Applies a change of the guide to a file. Each part of the diff must match exactly once. */
export function patched(before: string, diff: string, path: string): string {
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
