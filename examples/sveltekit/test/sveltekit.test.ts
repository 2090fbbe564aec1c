import { startProgram, testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { cwd, node } from "./node.ts";

testExample({
  test,
  start: () => startProgram({ command: node, args: ["server.js"], cwd, ready: /http:\/\/127\.0\.0\.1:\d+/ }),
});
