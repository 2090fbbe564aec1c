import { freePort, type Program, startProgram, testEnding, testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { cwd, node } from "./node.ts";

const start = async (): Promise<Program> =>
  startProgram({
    command: node,
    args: ["node_modules/@react-router/serve/bin.cjs", "./build/server/index.js"],
    cwd,
    // It takes 0 at its word, and prints it.
    env: { PORT: String(await freePort()), HOST: "127.0.0.1" },
    ready: /http:\/\/localhost:\d+/,
  });

testExample({ test, start });
testEnding({ test, start });
