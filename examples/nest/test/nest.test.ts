import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Program, startProgram, testEnding, testExample } from "@sessions/example-tests";
import { describe, test } from "vitest";

describe.each(["express", "fastify"])("on %s", (platform) => {
  const start = (): Promise<Program> =>
    startProgram({
      command: process.execPath,
      // Use the source of every package, so that no test sees a stale dist.
      args: ["--conditions=@sessions/source", "--import=tsx", "src/main.ts"],
      cwd: fileURLToPath(new URL("../", import.meta.url)),
      env: { PLATFORM: platform },
      ready: /http:\/\/localhost:\d+/,
    });

  testExample({ test, start });
  testEnding({ test, start });
});
