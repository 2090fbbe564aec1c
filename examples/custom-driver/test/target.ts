import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Target } from "@sessions/conformance";
import { ClassicLevel } from "classic-level";
import { levelDriver } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "sessions-level-"));
const client = new ClassicLevel(folder);

/** What the kit tests: drivers on one database, each namespace under a prefix of its own. */
export const target: Target = {
  name: "level",
  open: (namespace) => levelDriver({ client, prefix: namespace }),
  // To the drivers, a database that was closed is one that cannot be reached.
  outage: { cut: () => client.close(), restore: () => client.open() },
};

const remove = () => rmSync(folder, { recursive: true, force: true });
process.once("exit", remove);

/** Closes the database and removes it: test runners end their processes without saying so. */
export async function end(): Promise<void> {
  await client.close();
  remove();
}
