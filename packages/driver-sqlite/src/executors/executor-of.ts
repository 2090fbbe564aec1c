import type { SqliteExecutor } from "../executor.ts";
import { local, type SqliteClientLike } from "./local.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnySqliteClientLike = SqliteClientLike | SqliteExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST = "a handle of better-sqlite3 or node:sqlite, or a SqliteExecutor";
export const FORMS = ["prepare() exec()", "read() write()"] as const;
export const ROWS = ["sqlite"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(client: AnySqliteClientLike): SqliteExecutor {
  if ("read" in client) return client;
  return local(client, false);
}
