import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import type { Readable } from "node:stream";
import { onTestFinished } from "vitest";

export interface Program {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Everything that it has printed. */
  output(): string;
  /** Waits until it has printed that. */
  printed(what: RegExp): Promise<string>;
}

/** Starts Node with these arguments and an environment without the reader's own settings, until the test is over. */
export function startProgram(args: readonly string[], env: NodeJS.ProcessEnv): Program {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PORT: "", HOST: "", SESSIONS_URL: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  return {
    child,
    output: () => text,
    async printed(what) {
      for (;;) {
        const [found] = what.exec(text) ?? [];
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${text}`);
        await Promise.race([once(child.stdout, "data"), once(child, "close")]);
      }
    },
  };
}
