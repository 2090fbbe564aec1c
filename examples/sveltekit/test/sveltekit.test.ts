import { type Program, startProgram, testEnding, testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { cwd, node } from "./node.ts";

const start = (): Promise<Program> =>
  startProgram({ command: node, args: ["server.js"], cwd, ready: /http:\/\/127\.0\.0\.1:\d+/ });

testExample({ test, start });
testEnding({ test, start });
