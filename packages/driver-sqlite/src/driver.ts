import type { Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, createCall, pageById, readTable, readTimeout } from "@sessions/core/driver-tools";
import { createCalls } from "./calls.ts";
import { translate } from "./errors.ts";
import type { SqliteExecutor } from "./executor.ts";
import { type AnySqliteClientLike, executorOf } from "./executors/executor-of.ts";
import { createProvisioning } from "./provisioning.ts";
import { parseRecord, parseRow, statementsOf } from "./statements.ts";

/** Options of {@link sqliteDriver}. */
export interface SqliteDriverOptions {
  /**
   * Your client, which you open and close: a handle of `better-sqlite3`, `node:sqlite` or `bun:sqlite`, a client of
   * `@libsql/client`, a database of Cloudflare D1, the `sql` of a Durable Object's storage, or an executor that you write
   * for another client (`docs/clients.md`). Give sessions a handle of their own: while the application has a transaction
   * open on it, calls wait. A handle's pragmas stay as you set them.
   */
  readonly client: AnySqliteClientLike;
  /**
   * The table's name: 1 to 64 of `a-z 0-9 _`, not beginning with `sqlite_` or a digit. It is in lower case, because SQLite
   * does not distinguish names that differ only in case.
   * @default "sessions"
   */
  readonly table?: string | undefined;
  /**
   * How long a call waits for a server, or for the locks of other connections, before it rejects with
   * `DriverUnavailableError`. The wait does not block the process; a handle's own busy timeout is not used.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** The most records that one statement removes from a file. It takes some milliseconds, in which nothing else runs. */
const REMOVE_AT_ONCE = 100;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Keeps sessions in SQLite: one table, one row per session. The processes of one machine may share a file.
 *
 * @throws SessionConfigError that names an unknown option, or one out of range.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { sqliteDriver } from "@sessions/driver-sqlite";
 * import Database from "better-sqlite3"; // or: import { DatabaseSync } from "node:sqlite"
 *
 * const client = new Database("sessions.db");
 * const sessions = createSessionManager({ driver: sqliteDriver({ client }) });
 * await sessions.setup();
 */
export function sqliteDriver(options: SqliteDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("sqliteDriver", options, ["client", "table", "timeout"]);
  const { client, ...rest } = options;
  return createDriver(executorOf(client), rest);
}

/** Makes a driver on an executor. */
export function createDriver(
  executor: SqliteExecutor,
  { table = "sessions", timeout: limit = "2s" }: Omit<SqliteDriverOptions, "client">,
): ListingDriver & ProvisionedDriver {
  readTable(table, {
    form: /^(?!sqlite_)[a-z_][a-z0-9_]{0,63}$/,
    must: "a name of 1 to 64 of a-z 0-9 _, not beginning with sqlite_ or a digit",
  });
  const timeout = readTimeout(limit);

  const call = createCall({ driver: "sqlite", timeout, translate: translate(table) });
  const { read, write } = createCalls(executor, call, timeout);
  const statements = statementsOf(table);
  const { isFile, maxRecordBytes } = executor;

  return {
    name: "sqlite",
    ...(maxRecordBytes !== undefined && { maxRecordBytes }),

    create: async (id, record, now) => (await write(statements.create(id, record, now))) === 1,

    async load(id) {
      const [row] = await read(statements.load(id));
      return row && parseRecord(row);
    },

    async commit(id, change, now) {
      const { ifVersion } = change;
      const commit = statements.commit(id, change, now);
      const end = performance.now() + timeout;
      for (;;) {
        if ((await write(commit, end)) === 1) return "committed";
        if (ifVersion === undefined) return "gone";
        const [row] = await read(statements.version(id, now), end);
        if (row === undefined) return "gone";
        if (Number(row[0]) !== ifVersion) return "conflict";
        // The record got this version between the two statements.
      }
    },

    destroy: async (id, now) => (await write(statements.destroy(id, now))) === 1,

    async sweep({ limit, ...range }) {
      const most = isFile ? REMOVE_AT_ONCE : limit;
      let removed = 0;
      while (removed < limit) {
        const some = Math.min(limit - removed, most);
        const count = await write(statements.sweep({ ...range, limit: some }));
        removed += count;
        if (count < some) break;
        await nextTurn();
      }
      return removed;
    },

    async list(query, now) {
      // Let other work run between pages, because reading a page needs no wait.
      await nextTurn();
      const rows = await read(statements.list(query, now));
      return pageById(rows.map(parseRow), query.limit);
    },

    ...createProvisioning({ table, isFile, read, write }),
  };
}
