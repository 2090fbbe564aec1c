import {
  type Io as CommandIo,
  exportedTarget,
  makeFolder,
  messageOf,
  plain,
  progress,
  runCommand,
  UsageError,
  writeFiles,
} from "@sessions/kit-command";
import manifest from "../../package.json" with { type: "json" };
import { cases } from "../cases/index.ts";
import { runConformance } from "../run.ts";
import { checkTarget, type Target } from "../target.ts";
import { badgeOf, markdownOf } from "./files.ts";
import { HELP, type Options, readOptions } from "./options.ts";
import { ROOT } from "./root.ts";
import { jsonOf, textOf } from "./text.ts";

/** The streams and settings of the command. */
export interface Io extends CommandIo {
  /** The command line that called this command, without its arguments. */
  readonly command: string;
}

/** Quotes an argument for a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function againOf({ module, rules }: Options, seed: number, command: string): string {
  const arguments_ = [module.startsWith("-") ? `./${module}` : module, "--seed", String(seed)];
  for (const rule of rules ?? []) arguments_.push("--rule", rule);
  return plain([command, ...arguments_.map(quoted)].join(" "));
}

const expected = {
  kit: "conformance",
  example: "./my-driver.js",
  shape: "{ name, open(namespace), ... }",
  root: ROOT,
  looksLikeTarget: (value: unknown): value is Target =>
    typeof value === "object" && value !== null && ("open" in value || "name" in value),
  check: (target: Target): void =>
    checkTarget(
      target,
      cases.map(({ rule }) => rule),
    ),
};

async function runWith(target: Target, { module, seed, rules }: Options, io: Io) {
  if (!io.live) io.err(`Testing ${plain(target.name)}, as ${plain(module)} opens it\n`);
  const { onResult, clear } = progress(io);
  try {
    return await runConformance(target, { seed, rules, onResult });
  } catch (error) {
    // The target was checked before, so this can only be a wrong seed in the environment.
    throw new UsageError(messageOf(error).replace(/^conformance: /, ""));
  } finally {
    clear();
  }
}

async function run(options: Options, io: Io): Promise<boolean> {
  const { module, out, json } = options;
  const target = await exportedTarget(module, io.cwd, expected);
  if (out !== undefined) await makeFolder(out, io.cwd);
  const report = await runWith(target, options, io);
  const again = againOf(options, report.seed, io.command);
  io.out(json ? jsonOf(report, target, again) : textOf(report, target, { ...io, again }));
  if (out !== undefined) {
    await writeFiles(out, io.cwd, badgeOf(report), markdownOf(report, target));
    io.err(`Written: conformance.svg and conformance.md in ${plain(out)}\n`);
  }
  return report.failed > 0;
}

/** Runs the command. Returns its exit status: 0 if no clause failed, 1 if one did, 2 if nothing could be run. */
export function main(args: readonly string[], io: Io): Promise<number> {
  const { version } = manifest;
  const command = { name: "sessions-conformance", help: HELP, version, readOptions };
  return runCommand({ ...command, run: (options: Options) => run(options, io) }, args, io);
}
