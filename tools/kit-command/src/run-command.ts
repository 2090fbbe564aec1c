import { UsageError } from "./arguments.ts";
import { plainLines } from "./plain.ts";

/** The streams and settings of a command. */
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

/** What is a kit's own in its command. */
interface Command<O> {
  /** The name at the beginning of an error: `"sessions-conformance"`. */
  readonly name: string;
  readonly help: string;
  readonly version: string;
  readonly readOptions: (args: readonly string[]) => O | "help" | "version";
  /** Returns whether a clause failed. */
  readonly run: (options: O) => Promise<boolean>;
}

/** Runs a kit's command. Returns its exit status: 0 if no clause failed, 1 if one did, 2 if nothing could be run. */
export async function runCommand<O extends object>(
  { name, help, version, readOptions, run }: Command<O>,
  args: readonly string[],
  { out, err }: Io,
): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === "help") out(help);
    else if (options === "version") out(`${version}\n`);
    else return (await run(options)) ? 1 : 0;
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    err(`${name}: ${plainLines(error.message).join("\n")}\n`);
    if (args.length === 0) err(`\n${help}`);
    return 2;
  }
}
