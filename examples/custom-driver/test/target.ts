import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Target } from "@sessions/conformance";
import { ClassicLevel } from "classic-level";
import { levelDriver } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "sessions-level-"));
const database = new ClassicLevel(folder);
const sublevelOf = (namespace: string) => database.sublevel(namespace);
const sublevels: ReturnType<typeof sublevelOf>[] = [];

/** What the kit tests: drivers on one database, each namespace a sublevel of its own. */
export const target: Target = {
  name: "level",
  open(namespace) {
    const client = sublevelOf(namespace);
    sublevels.push(client);
    return levelDriver({ client });
  },
  // To the drivers, a database that was closed is one that cannot be reached.
  outage: {
    cut: () => database.close(),
    async restore() {
      await database.open();
      for (const sublevel of sublevels) await sublevel.open();
    },
  },
};

const remove = () => rmSync(folder, { recursive: true, force: true });
process.once("exit", remove);

/** Closes the database and removes it: test runners end their processes without saying so. */
export async function end(): Promise<void> {
  await database.close();
  remove();
}
