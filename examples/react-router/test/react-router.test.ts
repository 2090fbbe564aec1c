import { freePort, startProgram, testExample } from "@sessions/example-tests";
import { test } from "vitest";
import { cwd, node } from "./node.ts";

testExample({
  test,
  start: async () =>
    startProgram({
      command: node,
      args: ["node_modules/@react-router/serve/bin.cjs", "./build/server/index.js"],
      cwd,
      // It takes 0 at its word, and prints it.
      env: { PORT: String(await freePort()), HOST: "127.0.0.1" },
      ready: /http:\/\/localhost:\d+/,
    }),
});
