import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { onTestFinished } from "vitest";
import type { Kind } from "./kind.ts";
import { main, type Surroundings } from "./main.ts";

/** An empty folder, which goes with the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "create-package-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What came of the command. */
export interface Outcome {
  status: number;
  out: string;
  err: string;
}

/** The command in a folder, with nobody at the terminal unless `ask` is given. */
export const commandOf =
  (kind: Kind) =>
  async (cwd: string, args: readonly string[], ask?: Surroundings["ask"]): Promise<Outcome> => {
    const said = { out: "", err: "" };
    const status = await main(kind, args, {
      cwd,
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      ask,
    });
    return { status, ...said };
  };

/** Path and text of every file below a folder, folders that begin with a dot included. */
export function filesBelow(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [relative(folder, path).replaceAll("\\", "/"), readFileSync(path, "utf8")]),
  );
}
