import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Program, startProgram } from "@sessions/example-tests";

/** The shop that `next build` made, on a folder of its own, which goes when it is stopped. */
export async function start(): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), "sessions-next-"));
  const removed = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const program = await startProgram({
      command: "node_modules/.bin/next",
      args: ["start", "--hostname", "localhost"],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { SESSIONS_URL: pathToFileURL(folder).href },
      ready: /http:\/\/localhost:\d+(?=[\s\S]*Ready)/,
    });
    return { ...program, stop: () => program.stop().finally(removed) };
  } catch (error) {
    await removed();
    throw error;
  }
}
