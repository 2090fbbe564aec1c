import process from "node:process";
import { fileURLToPath } from "node:url";
import { startProgram, testExample } from "@sessions/example-tests";
import { test } from "vitest";

testExample({
  test,
  start: () =>
    startProgram({
      command: process.execPath,
      // The source of every package: no test sees a stale dist.
      args: ["--conditions=@sessions/source", "--import=tsx", "src/main.ts"],
      cwd: fileURLToPath(new URL("../", import.meta.url)),
      ready: /http:\/\/localhost:\d+/,
    }),
});
