import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Outcome, Run } from "./by-title.ts";

/** Runs the cases of one application in another runtime. */
export interface Cases {
  readonly run: Run;
  /** Resolves when the runtime has ended. */
  end(): Promise<unknown>;
}

/** The environment without the variables of the test runner. */
export const env: NodeJS.ProcessEnv = { PATH: process.env["PATH"], HOME: process.env["HOME"] };

/** Starts the program of Bun and Deno. What it is told: the application, and perhaps `"http2"`. */
export function startProgram(command: string, args: readonly string[], told: readonly string[]): Cases {
  const program = fileURLToPath(new URL("program.ts", import.meta.url));
  const child = spawn(command, [...args, program, ...told], { env });
  const closed = once(child, "close");
  const errors = text(child.stderr);
  // If the runtime has ended, report that.
  child.stdin.on("error", () => undefined);
  const waiting = new Map<string, (outcome: Outcome) => void>();
  createInterface(child.stdout).on("line", (line) => {
    const outcome: Outcome = JSON.parse(line);
    waiting.get(outcome.title)?.(outcome);
  });
  return {
    run(title) {
      const outcome = new Promise<Outcome>((resolve) => waiting.set(title, resolve));
      child.stdin.write(`${title}\n`);
      return Promise.race([outcome, errors.then((error) => ({ title, error: `It ended: ${error}` }))]);
    },
    end() {
      child.stdin.end();
      return closed;
    },
  };
}
