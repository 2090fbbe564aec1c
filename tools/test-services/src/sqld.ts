import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { findProgram, onCI } from "./machine.ts";
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

/**
 * Starts a server of libSQL of the test's own. Returns `undefined` where there is no program; on CI that is an error,
 * except on Windows, for which there is none.
 */
export async function startSqld(): Promise<(Server & { readonly url: string }) | undefined> {
  const command = findSqld();
  if (command === undefined) {
    const missing = `no sqld was found: @sqld/${process.platform}-${process.arch} is not installed, and none is on the PATH`;
    if (onCI && process.platform !== "win32")
      throw new Error(`The tests of libSQL's server must run on CI, but ${missing}`);
    console.warn(`NOT TESTED: the driver on libSQL's server; ${missing}`);
    return undefined;
  }
  const server = await startServer({
    command,
    args: (port, folder) => ["--db-path", join(folder, "data.sqld"), "--http-listen-addr", `${HOST}:${port}`],
  });
  return { ...server, url: `http://${HOST}:${server.port}` };
}
