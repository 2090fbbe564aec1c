import { readFileSync } from "node:fs";

/** One block of the guide that a reader writes down: a whole file, or a change of one. */
export interface Block {
  readonly path: string;
  readonly kind: "file" | "diff";
  readonly text: string;
}

/** What the reader has written between two lists of green clauses, and the second list. */
export interface Step {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly green: string;
}

const GUIDE = new URL("../../../docs/writing-a-driver.md", import.meta.url);

/** The steps of the guide: its sections that end with a line `Green now: …`. */
export function readSteps(): Step[] {
  const steps: Step[] = [];
  for (const section of readFileSync(GUIDE, "utf8").split(/^## /m).slice(1)) {
    const green = /^Green now: (.*)$/m.exec(section)?.[1];
    if (green === undefined) continue;
    const blocks = [...section.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(
      ([, language, path = "", text = ""]): Block => ({
        path,
        kind: language === "diff" ? "diff" : "file",
        text,
      }),
    );
    steps.push({ title: section.split("\n")[0] ?? "", blocks, green });
  }
  return steps;
}

/** A file after one of the guide's changes: each part of the diff must be there, and once. */
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
