import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import process from "node:process";

/** How to start a program. */
export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it is started; a command like `node_modules/.bin/next` begins here. */
  readonly cwd: string;
  /** Beside the environment of the tests, from which the reader's own settings and the test runner's are taken out. */
  readonly env?: NodeJS.ProcessEnv;
  /** Matches what it prints once it answers: its address, or the first group of it. */
  readonly ready: RegExp;
}

/** A program that was started, and answers. */
export interface Program {
  /** Its address, as it printed it. */
  readonly url: string;
  /** Everything that it has printed. */
  output(): string;
  /** Sends it SIGTERM and waits until it has ended. Rejects where it does not end by itself, and ends it by force. */
  stop(): Promise<void>;
}

// Longer than any program takes to finish what it answers; only one that never ends waits for this.
const STOP_MS = 20_000;

/** Starts a program and waits until it is ready; it ends with this process at the latest, where that is not killed. */
export async function startProgram({ command, args, cwd, env, ready }: ProgramOptions): Promise<Program> {
  const child = spawn(command, args, {
    cwd,
    env: {
      ...process.env,
      // As in a reader's terminal, not as under vitest.
      NODE_ENV: undefined,
      VITEST: undefined,
      FORCE_COLOR: undefined,
      NO_COLOR: "1",
      HOST: undefined,
      PORT: "0",
      SESSIONS_URL: undefined,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const news = new EventEmitter();
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      news.emit("news");
    });
  let fault: Error | undefined;
  child.on("error", (error) => {
    fault = error;
  });
  let closed = false;
  // What it started itself, and left running, would hold its output open.
  child.on("close", () => {
    closed = true;
    process.off("exit", kill);
    news.emit("news");
  });

  for (;;) {
    const [whole, group] = ready.exec(text) ?? [];
    const url = group ?? whole;
    if (url !== undefined) return { url, output: () => text, stop };
    if (closed) throw new Error(`${command} ended before it was ready:\n${text}`, { cause: fault });
    await once(news, "news");
  }

  async function stop(): Promise<void> {
    if (closed) throw new Error(`${command} had ended before it was told to:\n${text}`);
    const patience = AbortSignal.timeout(STOP_MS);
    child.kill("SIGTERM");
    try {
      while (!closed) await once(news, "news", { signal: patience });
    } catch (cause) {
      kill();
      throw new Error(`${command} did not end on SIGTERM:\n${text}`, { cause });
    }
  }
}
