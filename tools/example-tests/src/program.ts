import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import process from "node:process";

/** How to start a program. */
export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The working folder. A relative command such as `node_modules/.bin/next` starts here. */
  readonly cwd: string;
  /** Added to the tests' environment, without the developer's settings and those of the test runner. */
  readonly env?: NodeJS.ProcessEnv;
  /** Matches the output of a program that is ready. The match, or its first group, is the address. */
  readonly ready: RegExp;
}

/** A running program that is ready. */
export interface Program {
  /** The address that it printed. */
  readonly url: string;
  /** Its whole output. */
  output(): string;
  /** Sends SIGTERM and waits for the end. If the program does not end, kills it and rejects. */
  stop(): Promise<void>;
}

// Longer than any program takes to finish its responses. Only a program that never ends waits this long.
const STOP_MS = 20_000;

/** Starts a program and waits until it is ready. It ends with this process at the latest, unless that is killed. */
export async function startProgram({ command, args, cwd, env, ready }: ProgramOptions): Promise<Program> {
  const child = spawn(command, args, {
    cwd,
    env: {
      ...process.env,
      // The same as in a terminal, without vitest's variables.
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
  // A process that it started and left running would hold its output open.
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
