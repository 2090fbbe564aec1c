import process from "node:process";
import { main, quoted } from "./cli/main.ts";
import { uncaught } from "./cli/uncaught.ts";

const chunks: string[] = [];
const { stdout, stderr } = process;
const print = stdout.write.bind(stdout);
// What the module under test logs is no part of the report, which a program may read.
stdout.write = stderr.write.bind(stderr);

/** Whatever the module under test holds open, the process ends, once its output has left it. */
function end(status: number): void {
  print(chunks.join(""), () => process.exit(status));
}
// Where nobody reads any more, there is nobody left to tell.
for (const stream of [stdout, stderr]) stream.on("error", () => {});

// Where the module waits for ever, nothing is left to do, and nothing was run.
process.exitCode = 2;
process.once("beforeExit", () => stderr.write("sessions-conformance: the module never came to an end\n"));
process.on("uncaughtException", (error) => {
  stderr.write(uncaught(error, process.cwd()));
  end(1);
});

// What it rejects with is nobody else's to catch, and is told above.
void main(process.argv.slice(2), {
  out: (text) => chunks.push(text),
  err: (text) => stderr.write(text),
  colour: stdout.isTTY === true && !process.env["NO_COLOR"],
  live: stderr.isTTY === true,
  // A terminal that does not know its width says 0.
  width: Math.min(stdout.columns || stderr.columns || 100, 110),
  cwd: process.cwd(),
  command:
    process.execArgv.length > 0
      ? ["node", ...process.execArgv, process.argv[1] ?? ""].map(quoted).join(" ")
      : "npx @sessions/conformance",
}).then(end);
