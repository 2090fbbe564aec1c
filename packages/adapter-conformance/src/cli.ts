import process from "node:process";
import { main } from "./cli/main.ts";
import { messageOf, nameOf, plain } from "./cli/plain.ts";

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
    "sessions-adapter-conformance: the module, or a call of its start(), waits for something that never happens, so the run cannot end. Look for a promise that never resolves.\n",
  ),
);
process.on("uncaughtException", (error) => {
  stderr.write(
    `sessions-adapter-conformance: uncaught error: ${nameOf(error)}: ${plain(messageOf(error))}\n` +
      "In an application this ends the process. Handle the rejection of every promise, and the error event of every stream.\n",
  );
  end(1);
});
// The kit causes errors on purpose, and adapters warn of them. The report says what counts.
process.removeAllListeners("warning");

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
