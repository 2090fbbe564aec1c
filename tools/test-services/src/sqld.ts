import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { findProgram } from "./machine.ts";
import { HOST, type Server, startServer } from "./server.ts";

/** The program of libSQL's server: on the PATH, or from the registry, which has it for some platforms. */
function findSqld(): string | undefined {
  try {
    const about = createRequire(import.meta.url).resolve(
      `@sqld/${process.platform}-${process.arch}/package.json`,
    );
    const program = join(dirname(about), "sqld");
    if (existsSync(program)) return program;
  } catch {
    // There is none for this platform.
  }
  return findProgram(["sqld"]);
}

/** Starts a server of libSQL of the test's own, or returns `undefined` where there is no program. */
export async function startSqld(): Promise<(Server & { readonly url: string }) | undefined> {
  const command = findSqld();
  if (command === undefined) return undefined;
  const server = await startServer({
    command,
    args: (port, folder) => ["--db-path", join(folder, "data.sqld"), "--http-listen-addr", `${HOST}:${port}`],
  });
  return { ...server, url: `http://${HOST}:${server.port}` };
}
