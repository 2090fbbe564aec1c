import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createSessionManager, type SessionManager } from "@sessions/core";
import { fileDriver } from "@sessions/driver-file";
import { type Program, startProgram } from "@sessions/example-tests";

export const example: string = fileURLToPath(new URL("..", import.meta.url));

interface Site extends Program {
  /** The stored sessions, as another process sees them. */
  readonly sessions: SessionManager;
  /** The folder of the stored sessions. */
  readonly folder: string;
}

/** Starts the build of the shop, or of another folder, with its own sessions. The end of the site removes them. */
export async function start(site = "."): Promise<Site> {
  const parent = await mkdtemp(join(tmpdir(), "sessions-next-"));
  const folder = join(parent, "sessions");
  const removed = (): Promise<void> => rm(parent, { recursive: true, force: true });
  try {
    const program = await startProgram({
      command: "node_modules/.bin/next",
      args: ["start", site, "--hostname", "localhost"],
      cwd: example,
      env: { SESSIONS_URL: pathToFileURL(folder).href },
      ready: /http:\/\/localhost:\d+(?=[\s\S]*Ready)/,
    });
    const sessions = createSessionManager({
      driver: fileDriver({ directory: folder }),
      cookie: { name: "__Host-sid", secure: true },
    });
    return { ...program, sessions, folder, stop: () => program.stop().finally(removed) };
  } catch (error) {
    await removed();
    throw error;
  }
}
