import manifest from "../../package.json" with { type: "json" };
import { runConformance } from "../run.ts";
import { makeFolder, writeFiles } from "./files.ts";
import { loadTarget } from "./load.ts";
import { HELP, type Options, readOptions, UsageError } from "./options.ts";
import { cut, plain, plainLines } from "./plain.ts";
import { jsonOf, textOf } from "./text.ts";

/** The streams and settings of the command. */
export interface Io {
  /** Writes the report. */
  readonly out: (text: string) => void;
  /** Writes progress and errors. */
  readonly err: (text: string) => void;
  /** Whether the report may be coloured. */
  readonly colour: boolean;
  /** Whether a line of progress can be overwritten. */
  readonly live: boolean;
  /** How many characters fit into a line. */
  readonly width: number;
  readonly cwd: string;
}

const CLEAR = "\r\u001b[2K";

async function run(options: Options, io: Io): Promise<number> {
  const target = await loadTarget(options.module, io.cwd);
  if (options.out !== undefined) await makeFolder(options.out, io.cwd);
  if (!io.live) io.err(`Testing ${plain(target.name)}, as ${plain(options.module)} starts it\n`);
  const report = await runConformance(target, {
    rules: options.rules,
    onResult({ rule, title, status }, done, total) {
      if (!io.live) return;
      const line = `${done}/${total} ${rule} ${status === "failed" ? "failed: " : ""}${title}`;
      io.err(CLEAR + cut(plain(line), io.width - 1));
    },
  });
  if (io.live) io.err(CLEAR);
  io.out(options.json ? jsonOf(report, target) : textOf(report, target, io));
  if (options.out !== undefined) {
    await writeFiles(options.out, io.cwd, report, target);
    io.err(`Written: conformance.svg and conformance.md in ${plain(options.out)}\n`);
  }
  return report.failed > 0 ? 1 : 0;
}

/** Runs the command. Returns its exit status: 0 if no clause failed, 1 if one did, 2 if nothing could be run. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === "help") io.out(HELP);
    else if (options === "version") io.out(`${manifest.version}\n`);
    else return await run(options, io);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.err(`sessions-adapter-conformance: ${plainLines(error.message).join("\n")}\n`);
    if (args.length === 0) io.err(`\n${HELP}`);
    return 2;
  }
}
