import process from "node:process";
import {
  type ClosableDriver,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { checkOptions, closing, openByUrl } from "@sessions/core/driver-tools";
import { createDriver, type SqliteDriverOptions } from "./driver.ts";
import { local, type SqliteClientLike } from "./executors/local.ts";

/** Options of {@link fromUrl}: those of `sqliteDriver`, except `client`. */
export type SqliteUrlOptions = Omit<SqliteDriverOptions, "client">;

interface Handle extends SqliteClientLike {
  close(): unknown;
}
type Open = new (path: string, options: { timeout: number }) => Handle;

// Only fromUrl loads what has files: Workers import this package, too.
type Files = typeof import("node:fs");

const isNodeSqlite = (module: unknown): module is { DatabaseSync: Open } =>
  typeof Object(module).DatabaseSync === "function";

/** The class of the runtime's `node:sqlite`, or else that of the package. */
async function findSqlite(): Promise<Open> {
  const module: unknown = process.getBuiltinModule?.("node:sqlite");
  if (isNodeSqlite(module)) return module.DatabaseSync;
  try {
    return (await import("better-sqlite3")).default;
  } catch (cause) {
    throw new SessionConfigError(
      "sqliteDriver fromUrl: found neither node:sqlite nor the package better-sqlite3. Use Node 22.13 or newer, or install better-sqlite3.",
      { cause },
    );
  }
}

/** The path of `sqlite:path`, `sqlite:///path` or `sqlite::memory:`. */
function readPath(url: string, resolve: (path: string) => string): string {
  const [, path = ""] = /^sqlite:(?:\/\/(?=\/))?([^?#]+)$/i.exec(url) ?? [];
  if (path === "" || path.startsWith("//") || path.endsWith("/")) throw new TypeError("No path");
  return path === ":memory:" ? path : resolve(decodeURIComponent(path));
}

/**
 * Makes a missing file that only its owner can read: SQLite would use the umask, and gives its journals the file's mode.
 * An existing file is not opened, because closing it would release the locks that this process holds on it.
 */
function makePrivate(path: string, { closeSync, existsSync, openSync }: Files): void {
  if (path === ":memory:" || existsSync(path)) return;
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch {
    // SQLite will fail too, and say why.
  }
}

/**
 * Makes a driver on a file, or on `:memory:`, that it opens itself: with `node:sqlite` if the runtime has it, else with
 * `better-sqlite3`. A relative path begins at the current folder. The first call opens the file, and makes a missing one
 * that only its owner can read; while that fails, calls reject with `DriverUnavailableError`. The file is in WAL mode with
 * `synchronous` NORMAL: an acknowledged commit survives the end of the process, but a loss of power may lose the last ones.
 *
 * @throws SessionConfigError for a malformed URL, for bad options, and if neither client is there.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-sqlite";
 *
 * const driver = await fromUrl("sqlite:./sessions.db", { timeout: "1s" });
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: SqliteUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions("sqliteDriver fromUrl", options, ["table", "timeout"]);
  const [files, { resolve }] = await Promise.all([import("node:fs"), import("node:path")]);
  const path = openByUrl("sqlite:./sessions.db, sqlite:///var/lib/app/sessions.db or sqlite::memory:", () =>
    readPath(url, resolve),
  );
  const Sqlite = await findSqlite();
  let handle: Handle | undefined;
  let isClosed = false;

  function open(): Handle {
    if (isClosed) throw new Error("The driver is closed");
    if (handle) return handle;
    makePrivate(path, files);
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
  return closing(createDriver(local(client, true), options), async () => {
    isClosed = true;
    handle?.close();
    handle = undefined;
  });
}
