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

/** Options of `sqliteDriver`. */
export interface SqliteDriverOptions {
  /**
   * A handle of `better-sqlite3` or `node:sqlite`, opened by you and closed by you, best for sessions alone: while the
   * application has a transaction open on it, calls wait. Its pragmas stay as you set them.
   */
  readonly client: SqliteClientLike;
  /**
   * The table's name: 1 to 64 of `a-z 0-9 _`, not beginning with `sqlite_` or a digit. Lower case, for SQLite takes
   * names that differ in case for one.
   * @default "sessions"
   */
  readonly table?: string | undefined;
  /**
   * How long a call waits, without blocking the process, for the locks of others, before it is
   * `DriverUnavailableError`. The handle's own busy timeout is not used.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** The most records that one statement removes: some milliseconds, for which others wait. */
const REMOVE_AT_ONCE = 100;

/**
 * Keeps sessions in SQLite: one row each, in one table, changed by one statement. Several processes may share the file.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function sqliteDriver(options: SqliteDriverOptions): ListingDriver & ProvisionedDriver {
  return createDriver(options, false);
}

/** @param own Whether nobody else uses the handle, and its busy timeout is 0. */
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

  /** A handle answers at once, which needs no promise, or throws. All waiting is in `again`, which ends. */
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
      // Before any waiting: the caller may change its Map meanwhile.
      const commit = statements.commit(id, change, now);
      const { ifVersion } = change;
      return work(({ run, all }) => {
        if (run(commit) === 1) return "committed";
        // Should it be destroyed between the two, it is gone.
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
      // Who reads page after page, of a handle that answers at once, lets nobody else have a turn.
      await nextTurn();
      const rows = await work(({ all }) => all(statements.list(query, now)));
      return pageById(rows.map(parseRow), query.limit);
    },

    ...createProvisioning({ table, work }),
  };
}
