import { setImmediate as nextTurn } from "node:timers/promises";
import type { Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import {
  checkClient,
  checkOptions,
  createCall,
  milliseconds,
  pageById,
  readTable,
} from "@sessions/core/driver-tools";
import { createConnection, type SqliteClientLike, type Work } from "./connection.ts";
import { translate } from "./errors.ts";
import { createProvisioning } from "./provisioning.ts";
import { parseRecord, parseRow, statementsOf } from "./statements.ts";

/** Options of {@link sqliteDriver}. */
export interface SqliteDriverOptions {
  /**
   * A handle of `better-sqlite3` or `node:sqlite`. You open it and you close it. Give sessions a handle of their own:
   * while the application has a transaction open on it, calls wait. The handle's pragmas stay as you set them.
   */
  readonly client: SqliteClientLike;
  /**
   * The table's name: 1 to 64 of `a-z 0-9 _`, not beginning with `sqlite_` or a digit. It is in lower case, because SQLite
   * does not distinguish names that differ only in case.
   * @default "sessions"
   */
  readonly table?: string | undefined;
  /**
   * How long a call waits for the locks of other connections before it rejects with `DriverUnavailableError`. The wait
   * does not block the process; the handle's own busy timeout is not used.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** The most records that one statement removes. It takes some milliseconds, in which nothing else runs. */
const REMOVE_AT_ONCE = 100;

/**
 * Keeps sessions in SQLite: one table, one row per session. The processes of one machine may share the file.
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
  return createDriver(options, false);
}

/** @param own Whether the driver opened the handle, with a busy timeout of 0. */
export function createDriver(options: SqliteDriverOptions, own: boolean): ListingDriver & ProvisionedDriver {
  checkOptions("sqliteDriver", options, ["client", "table", "timeout"]);
  const { client, table: name = "sessions", timeout: limit = "2s" } = options;
  checkClient(client, "a handle of better-sqlite3 or node:sqlite", ["prepare() exec()"], ["sqlite"]);
  const table = readTable(name, {
    form: /^(?!sqlite_)[a-z_][a-z0-9_]{0,63}$/,
    must: "a name of 1 to 64 of a-z 0-9 _, not beginning with sqlite_ or a digit",
  });
  const timeout = milliseconds("timeout", limit);

  const call = createCall({ driver: "sqlite", timeout, translate: translate(name) });
  const { attempt, again } = createConnection(client, { timeout, own });
  const statements = statementsOf(name);

  /** A handle returns or throws at once, so usually no promise is needed. All waiting is in `again`. */
  function work<T>(body: Work<T>): T | Promise<T> {
    try {
      return attempt(body);
    } catch (error) {
      return call(() => again(body, error), Infinity);
    }
  }

  return {
    name: "sqlite",

    async create(id, record, now) {
      const create = statements.create(id, record, now);
      return (await work(({ run }) => run(create))) === 1;
    },

    async load(id) {
      return work(({ get }) => {
        const row = get(statements.load(id));
        return row && parseRecord(row);
      });
    },

    async commit(id, change, now) {
      // Read the change before any wait, in which the caller may change its Map.
      const commit = statements.commit(id, change, now);
      const { ifVersion } = change;
      return work(({ run, all }) => {
        if (run(commit) === 1) return "committed";
        // If the record was destroyed between the two statements, it is gone.
        return ifVersion !== undefined && all(statements.isLive(id, now)).length > 0 ? "conflict" : "gone";
      });
    },

    destroy: async (id, now) => (await work(({ run }) => run(statements.destroy(id, now)))) === 1,

    async sweep({ limit, ...range }) {
      let removed = 0;
      while (removed < limit) {
        const some = Math.min(limit - removed, REMOVE_AT_ONCE);
        const count = await work(({ run }) => run(statements.sweep({ ...range, limit: some })));
        removed += count;
        if (count < some) break;
        await nextTurn();
      }
      return removed;
    },

    async list(query, now) {
      // Let other work run between pages, because reading a page needs no wait.
      await nextTurn();
      const rows = await work(({ all }) => all(statements.list(query, now)));
      return pageById(rows.map(parseRow), query.limit);
    },

    ...createProvisioning({ table, work }),
  };
}
