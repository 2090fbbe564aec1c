import { freePort, type Program, startProgram, testEnding, testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { cwd, node } from "./node.ts";

const start = async (): Promise<Program> =>
  startProgram({
    command: node,
    args: ["node_modules/@react-router/serve/bin.cjs", "./build/server/index.js"],
    cwd,
    // It does not pick a free port for 0, and prints 0.
    env: { PORT: String(await freePort()), HOST: "127.0.0.1" },
    ready: /http:\/\/localhost:\d+/,
  });

testExample({ test, start });
testEnding({ test, start });
