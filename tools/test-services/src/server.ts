import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import getPort from "get-port";
import { findProgram } from "./machine.ts";

/** A server program that runs on this machine's loopback until it is stopped. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** The server's own folder, which `stop` removes. */
  readonly folder: string;
  readonly child: ChildProcess;
  /** Returns everything that the server has printed. */
  output(): string;
  /** Ends the server by its process id, waits for its exit, and removes its folder. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ServerOptions {
  command: string;
  /** Returns the arguments for a free port and an empty folder. */
  args(port: number, folder: string): string[];
  /** Prepares the folder before the start. */
  prepare?(folder: string): void;
  /** Matches the output of a ready server. Without it, a server is ready when it accepts connections. */
  ready?: RegExp;
  env?: NodeJS.ProcessEnv;
  /** The port, such as that of a stopped server. @default a free one */
  port?: number;
}

const READY_MS = 60_000;
export const HOST = "127.0.0.1";

/** Starts a server and waits until it is ready. The server ends with this process at the latest. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "sessions-test-"));
  options.prepare?.(folder);
  const port = options.port ?? (await getPort({ host: HOST }));
  const [program = "", ...args] = [...endWithParent(), options.command, ...options.args(port, folder)];
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    cwd: folder,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  let fault: Error | undefined;
  child.on("error", (error) => {
    fault = error;
  });
  // End the server even if this process exits early.
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);

  async function stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    process.off("exit", end);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const gone = once(child, "exit");
      child.kill(signal);
      // For a server that ignores the signal.
      const force = setTimeout(10_000, undefined, { ref: false }).then(end);
      await Promise.race([gone, force.then(() => gone)]);
    }
    rmSync(folder, { recursive: true, force: true });
  }

  const deadline = Date.now() + READY_MS;
  while (!(options.ready ? options.ready.test(text) : await takesConnections(port))) {
    if (fault || child.exitCode !== null || Date.now() > deadline) {
      await stop();
      const why =
        fault?.message ??
        (child.exitCode === null ? "it was not ready in time" : `it ended with ${child.exitCode}`);
      throw new Error(`${options.command} could not be started: ${why}\n${text.slice(-2_000)}`);
    }
    // Poll, because no event announces that the server is ready.
    await setTimeout(50);
  }
  return { host: HOST, port, folder, child, output: () => text, stop };
}

/** A process that is killed cannot end its servers. On Linux, `setpriv` lets the system end them. */
function endWithParent(): string[] {
  const setpriv = process.platform === "linux" ? findProgram(["setpriv"]) : undefined;
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
