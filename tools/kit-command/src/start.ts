import process from "node:process";
import { placeOf } from "./place.ts";
import { messageOf, nameOf, plain } from "./plain.ts";
import type { Io } from "./run-command.ts";

interface Process {
  /** The name at the beginning of a message: `"sessions-conformance"`. */
  readonly name: string;
  /** The calls that may wait for ever: `"a call of its driver"`. */
  readonly calls: string;
  /** What handles an error that nothing caught: `"Listen to …, and handle …"`. */
  readonly remedy: string;
  /** The folder of the kit's own code. */
  readonly root: URL;
}

/** Runs a kit's command on the arguments and the streams of this process, and ends the process. */
export function start(
  { name, calls, remedy, root }: Process,
  main: (args: readonly string[], io: Io) => Promise<number>,
): void {
  const chunks: string[] = [];
  const { stdout, stderr } = process;
  const print = stdout.write.bind(stdout);
  // Output of the module under test goes to stderr, because a program may read the report on stdout.
  stdout.write = stderr.write.bind(stderr);

  /** Ends the process once its output is written, even if the module under test keeps timers or sockets open. */
  function end(status: number): void {
    print(chunks.join(""), () => process.exit(status));
  }
  // The reader of the pipe may have closed it; ignore that.
  for (const stream of [stdout, stderr]) stream.on("error", () => {});

  // The status if the event loop runs empty: the module waits for ever, and nothing was run.
  process.exitCode = 2;
  process.once("beforeExit", () =>
    stderr.write(
      `${name}: the module, or ${calls}, waits for something that never happens, so the run cannot end. Look for a promise that never resolves.\n`,
    ),
  );
  process.on("uncaughtException", (error) => {
    const place = placeOf(root, error, process.cwd());
    const from = place === undefined ? "" : ` (${place})`;
    stderr.write(
      `${name}: uncaught error: ${nameOf(error)}: ${plain(messageOf(error))}${from}\n` +
        `In an application this ends the process. ${remedy}.\n`,
    );
    end(1);
  });

  // A rejection reaches the uncaughtException listener above.
  void main(process.argv.slice(2), {
    out: (text) => chunks.push(text),
    err: (text) => stderr.write(text),
    colour: stdout.isTTY === true && !process.env["NO_COLOR"],
    live: stderr.isTTY === true,
    // A terminal that does not know its width says 0.
    width: Math.min(stdout.columns || stderr.columns || 100, 110),
    cwd: process.cwd(),
  }).then(end);
}
