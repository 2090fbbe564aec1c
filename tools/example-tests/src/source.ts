import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Program, startProgram } from "./program.ts";

/** Starts an example's `src/main.ts` with the source of every package, so that no test sees a stale dist. */
export function startSource(example: URL): Promise<Program> {
  return startProgram({
    command: process.execPath,
    args: ["--conditions=@sessions/source", `--import=${import.meta.resolve("tsx")}`, "src/main.ts"],
    cwd: fileURLToPath(example),
    ready: /http:\/\/localhost:\d+/,
  });
}
