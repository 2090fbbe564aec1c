import process from "node:process";
import { createInterface } from "node:readline/promises";
import type { Kind } from "./kind.ts";
import { main } from "./main.ts";

/** Asks on the terminal. Returns `undefined` if the input ends without an answer. */
async function ask(question: string): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const ended = new Promise<undefined>((resolve) => lines.once("close", () => resolve(undefined)));
    const answer = await Promise.race([lines.question(question), ended]);
    if (answer === undefined) process.stdout.write("\n");
    return answer;
  } finally {
    lines.close();
  }
}

/** Runs the command on the arguments and the terminal of the process, and sets its exit status. */
export async function runCommand(kind: Kind): Promise<void> {
  process.exitCode = await main(kind, process.argv.slice(2), {
    cwd: process.cwd(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    ...(process.stdin.isTTY && process.stdout.isTTY && { ask }),
  });
}
