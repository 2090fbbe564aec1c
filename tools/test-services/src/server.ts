import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import getPort from "get-port";
import { dataFolder } from "./data-folder.ts";
import { findProgram } from "./machine.ts";

/** A server program that runs on this machine's loopback until it is stopped. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** Its own folder, which `stop()` removes. */
  readonly folder: string;
  readonly child: ChildProcess;
  /** Its whole output. */
  output(): string;
  /** Ends the process, waits for its end, and removes its folder. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface ServerOptions {
  command: string;
  /** Returns its arguments, given a free port and an empty folder. */
  args(port: number, folder: string): string[];
  /** Prepares the folder. */
  prepare?(folder: string): void;
  /** Matches the output of a ready server. Without it, a server is ready when it takes a connection. */
  ready?: RegExp;
  env?: NodeJS.ProcessEnv;
  /** A fixed port, such as that of a server that was stopped. Default: a free one. */
  port?: number;
}

const READY_MS = 60_000;
export const HOST = "127.0.0.1";

/** Starts a server and waits until it is ready. It ends with this process at the latest. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const folder = mkdtempSync(join(dataFolder(), "sessions-test-"));
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
  // A worker that is ended early must still end its servers.
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);

  async function stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    process.off("exit", end);
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const gone = once(child, "exit");
      child.kill(signal);
      // It did not react to the signal.
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
    // Poll, because no event announces it.
    await setTimeout(50);
  }
  return { host: HOST, port, folder, child, output: () => text, stop };
}

/** A killed process cannot end its servers. On Linux, the system ends them with it. */
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
