import { closeSync, existsSync, openSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import {
  type ClosableDriver,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { checkOptions, closing, openByUrl } from "@sessions/core/driver-tools";
import type { SqliteClientLike } from "./connection.ts";
import { createDriver, type SqliteDriverOptions } from "./driver.ts";

/** Options of `fromUrl`: those of `sqliteDriver`, but the client. */
export type SqliteUrlOptions = Omit<SqliteDriverOptions, "client">;

interface Handle extends SqliteClientLike {
  close(): unknown;
}
type Open = new (path: string, options: { timeout: number }) => Handle;

const isNodeSqlite = (module: unknown): module is { DatabaseSync: Open } =>
  typeof Object(module).DatabaseSync === "function";

/** What the runtime brings, or else the package. */
async function findSqlite(): Promise<Open> {
  const module: unknown = process.getBuiltinModule?.("node:sqlite");
  if (isNodeSqlite(module)) return module.DatabaseSync;
  try {
    return (await import("better-sqlite3")).default;
  } catch (cause) {
    throw new SessionConfigError(
      "sqlite: needs node:sqlite (Node 22.13 or newer) or the package better-sqlite3, and finds neither",
      { cause },
    );
  }
}

/** The path of `sqlite:path`, `sqlite:///path` or `sqlite::memory:`. */
function readPath(url: string): string {
  const [, path = ""] = /^sqlite:(?:\/\/(?=\/))?([^?#]+)$/i.exec(url) ?? [];
  if (path === "" || path.startsWith("//") || path.endsWith("/")) throw new TypeError("No path");
  return path === ":memory:" ? path : resolve(decodeURIComponent(path));
}

/**
 * Makes a file that is missing, for its owner alone: SQLite would make it as the umask says, and gives its journals the
 * file's own mode. One that is there is not opened, for closing it would end the locks that this process has on it.
 */
function makePrivate(path: string): void {
  if (path === ":memory:" || existsSync(path)) return;
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch {
    // SQLite says why it cannot be made.
  }
}

/**
 * A driver on a file, or on `:memory:`, that it opens itself: with `node:sqlite` where the runtime has that, else with
 * `better-sqlite3`. A relative path begins at the current folder. The file is opened, and made for its owner alone, by the first call; where
 * that cannot be done, calls are `DriverUnavailableError` until it can. It is in WAL mode with `synchronous` NORMAL: what
 * was acknowledged survives the end of the process, and a loss of power may take the last commits with it.
 *
 * @throws SessionConfigError for a URL that is none, for bad options, and where there is neither client.
 */
export async function fromUrl(
  url: string,
  options: SqliteUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions("sqliteDriver fromUrl", options, ["table", "timeout"]);
  const path = openByUrl("sqlite:./sessions.db, sqlite:///var/lib/app/sessions.db or sqlite::memory:", () =>
    readPath(url),
  );
  const Sqlite = await findSqlite();
  let handle: Handle | undefined;
  let isClosed = false;

  function open(): Handle {
    if (isClosed) throw new Error("The driver is closed");
    if (handle) return handle;
    makePrivate(path);
    const opened = new Sqlite(path, { timeout: 0 });
    try {
      opened.exec("PRAGMA journal_mode = WAL");
      opened.exec("PRAGMA synchronous = NORMAL");
    } catch (error) {
      opened.close();
      throw error;
    }
    handle = opened;
    return opened;
  }

  const client: SqliteClientLike = { prepare: (sql) => open().prepare(sql), exec: (sql) => open().exec(sql) };
  return closing(createDriver({ ...options, client }, true), async () => {
    isClosed = true;
    handle?.close();
    handle = undefined;
  });
}
