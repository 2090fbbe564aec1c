import {
  exportedTarget,
  type Io,
  makeFolder,
  plain,
  progress,
  type RunOptions,
  runCommand,
  writeFiles,
} from "@sessions/kit-command";
import manifest from "../../package.json" with { type: "json" };
import { cases } from "../cases/index.ts";
import { checkTarget } from "../check-target.ts";
import { runConformance } from "../run.ts";
import type { Rule, Target } from "../target.ts";
import { badgeOf, markdownOf } from "./files.ts";
import { HELP, readOptions } from "./options.ts";
import { ROOT } from "./root.ts";
import { jsonOf, textOf } from "./text.ts";

const expected = {
  kit: "adapter-conformance",
  example: "./my-adapter.js",
  shape: "{ name, start(application), ... }",
  root: ROOT,
  looksLikeTarget: (value: unknown): value is Target =>
    typeof value === "object" && value !== null && ("start" in value || "name" in value),
  check: (target: Target): void =>
    checkTarget(
      target,
      cases.map(({ rule }) => rule),
    ),
};

async function run({ module, rules, json, out }: RunOptions<Rule>, io: Io): Promise<boolean> {
  const target = await exportedTarget(module, io.cwd, expected);
  if (out !== undefined) await makeFolder(out, io.cwd);
  if (!io.live) io.err(`Testing ${plain(target.name)}, as ${plain(module)} starts it\n`);
  const { onResult, clear } = progress(io);
  const report = await runConformance(target, { rules, onResult });
  clear();
  io.out(json ? jsonOf(report, target) : textOf(report, target, io));
  if (out !== undefined) {
    await writeFiles(out, io.cwd, badgeOf(report), markdownOf(report, target));
    io.err(`Written: conformance.svg and conformance.md in ${plain(out)}\n`);
  }
  return report.failed > 0;
}

/** Runs the command. Returns its exit status: 0 if no clause failed, 1 if one did, 2 if nothing could be run. */
export function main(args: readonly string[], io: Io): Promise<number> {
  const { version } = manifest;
  const command = { name: "sessions-adapter-conformance", help: HELP, version, readOptions };
  return runCommand({ ...command, run: (options: RunOptions<Rule>) => run(options, io) }, args, io);
}
