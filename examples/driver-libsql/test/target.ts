import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createClient } from "@libsql/client";
import type { Target } from "@sessions/conformance";
import { type LibsqlClientLike, libsqlDriver } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "sessions-libsql-"));
const clients = Array.from({ length: 4 }, () => createClient({ url: `file:${join(folder, "sessions.db")}` }));
// As in production: readers do not wait for the writer. The file remembers it.
await clients[0]?.execute("PRAGMA journal_mode = WAL");
let opened = 0;

let isLost = false;
/** Returns an answer, or loses it: the database has done the work then. */
async function answer<T>(work: Promise<T>): Promise<T> {
  const result = await work;
  if (!isLost) return result;
  isLost = false;
  throw new Error("The answer was lost");
}

/** What the kit tests: drivers with four clients of one file, as in four processes. */
export const target: Target = {
  name: "libsql",
  open(namespace) {
    const client = clients[opened++ % clients.length];
    if (!client) throw new Error("No client");
    const losing: LibsqlClientLike = {
      execute: (statement) => answer(client.execute(statement)),
      batch: (statements, mode) => answer(client.batch(statements, mode)),
    };
    return libsqlDriver({ client: losing, table: namespace });
  },
  // To the drivers, a client that was closed is a database that cannot be reached.
  outage: {
    async cut() {
      for (const client of clients) client.close();
    },
    async restore() {
      isLost = false;
      await Promise.all(clients.map((client) => client.reconnect()));
    },
    async drop() {
      isLost = true;
    },
  },
};

const remove = () => rmSync(folder, { recursive: true, force: true });
process.once("exit", remove);

/** Closes the clients and removes the file: test runners end their processes without saying so. */
export function end(): void {
  for (const client of clients) client.close();
  remove();
}
