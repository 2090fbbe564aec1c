import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

const services = fileURLToPath(new URL("../../../tools/test-services/", import.meta.url));
const tsx = createRequire(`${services}package.json`).resolve("tsx");

/** A version of Node that runs the programs of this folder from their source. */
export interface Runtime {
  readonly name: string;
  readonly executable: string;
  readonly args: readonly string[];
}

const conditions = "--conditions=@sessions/source";

/** This Node, with the client that `fromUrl` finds. */
export const here: Runtime = {
  name: `Node ${process.versions.node.split(".")[0]}`,
  executable: process.execPath,
  args: ["--import", tsx, conditions],
};

/**
 * Versions of Node that have `node:sqlite` and run TypeScript. They are packages for Linux on x64. Where one could be there
 * and is not, CI fails.
 */
export const newer: readonly (Runtime & { readonly missing: boolean })[] = ["22", "24"].map((version) => {
  const executable = `${services}node_modules/node${version}/bin/node`;
  const missing = !existsSync(executable);
  if (missing) {
    const where = `node:sqlite of Node ${version}: the package node${version} is not installed`;
    if (process.env["CI"] === "true" && process.platform === "linux" && process.arch === "x64")
      throw new Error(`The driver must be tried on CI with ${where}`);
    console.warn(`NOT TESTED: ${where}`);
  }
  return {
    name: `Node ${version}`,
    executable,
    args: ["--disable-warning=ExperimentalWarning", conditions],
    missing,
  };
});

export interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** The lines that it has printed so far. */
  readonly lines: readonly string[];
  /** Waits until it prints a line that begins with this text. */
  says(start: string): Promise<void>;
  /** Resolves when the program has ended and all of its output was read. */
  readonly ended: Promise<void>;
}

/** Starts a program of the folder `programs`. Its stderr goes to this process's stderr. */
export function start({ executable, args }: Runtime, program: URL, ...rest: string[]): Program {
  const path = fileURLToPath(program);
  const child = spawn(executable, [...args, path, ...rest], { stdio: ["pipe", "pipe", "inherit"] });
  // A program that was killed reads no input.
  child.stdin.on("error", () => {});
  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  reader.on("line", (line) => lines.push(line));
  const ended = Promise.all([once(child, "exit"), once(reader, "close")]).then(() => {});
  return {
    child,
    lines,
    ended,
    async says(start) {
      while (!lines.some((line) => line.startsWith(start))) {
        const isOver = await Promise.race([once(reader, "line").then(() => false), ended.then(() => true)]);
        if (isOver && !lines.some((line) => line.startsWith(start)))
          throw new Error(`${path} ended without saying "${start}"`);
      }
    },
  };
}
