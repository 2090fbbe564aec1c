import type { CommitOutcome, Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import {
  checkOptions,
  createCall,
  mergeFields,
  pageById,
  readTable,
  readTimeout,
  retry,
} from "@sessions/core/driver-tools";
import { type Answer, type Connection, createConnection } from "./connection.ts";
import { hiddenBy, inTransaction, isContention, translate } from "./errors.ts";
import { type AnyMysqlClientLike, executorOf } from "./executors/executor-of.ts";
import { createProvisioning } from "./provisioning.ts";
import { parseListed, parseRow, statementsOf } from "./statements.ts";

/** Options of {@link mysqlDriver}. */
export interface MysqlDriverOptions {
  /**
   * A pool or a connection of mysql2, mariadb or mysql, the primaries of a cluster of them (`cluster.of("PRIMARY*")`),
   * Bun's `SQL`, or a `MysqlExecutor` of your own. You open it and you close it. Use a pool in production: a single
   * connection must serve sessions alone, costs a round trip more for each call, and a lost one stays lost.
   */
  readonly client: AnyMysqlClientLike;
  /** The table's name, in the client's database: 1 to 64 of `A-Z a-z 0-9 _`. @default "sessions" */
  readonly table?: string | undefined;
  /**
   * How long a call may take before it rejects with `DriverUnavailableError`. The wait for a connection counts.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** A commit of more fields is merged here, under a lock: the server parses the whole object again for each field. */
const MOST_IN_ONE_STATEMENT = 100;
/** The most tries of work that other transactions were in the way of. */
const ATTEMPTS = 10;
/** The most rows that one DELETE locks. */
const REMOVE_AT_ONCE = 500;

/**
 * Keeps sessions in MySQL 8.0.19 or newer, or MariaDB 10.6 or newer: one table, one row per session.
 *
 * @throws SessionConfigError that names an unknown option, or one out of range.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { mysqlDriver } from "@sessions/driver-mysql";
 * import { createPool } from "mysql2/promise";
 *
 * const client = createPool({ uri: "mysql://user:password@127.0.0.1:3306/app" });
 * const sessions = createSessionManager({ driver: mysqlDriver({ client }) });
 * await sessions.setup();
 */
export function mysqlDriver(options: MysqlDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("mysqlDriver", options, ["client", "table", "timeout"]);
  const { client, table: name = "sessions", timeout: limit = "2s" } = options;
  const executor = executorOf(client);
  const table = readTable(name, {
    form: /^\w{1,64}$/,
    must: "a name of 1 to 64 of A-Z a-z 0-9 _",
    quote: "`",
  });
  const timeout = readTimeout(limit);

  const call = createCall({ driver: "mysql", timeout, translate: translate(name) });
  const use = createConnection(executor, call);
  const statements = statementsOf(table.quoted);

  /** Does some work on one connection, and again if another transaction was in its way: then nothing was written. */
  const work = <T>(
    attempt: (connection: Connection) => Promise<T>,
    within = timeout,
    changes = false,
  ): Promise<T> =>
    use(
      (connection) => retry(() => attempt(connection), { isContention, attempts: ATTEMPTS }),
      within,
      changes,
    );

  /** Sends a statement that changes rows. Inside an open transaction it could be acknowledged and then rolled back. */
  const write = (sql: string): Promise<Answer> =>
    work(
      async ({ run }) => {
        const answer = await run(sql);
        if (answer.inTransaction) throw inTransaction();
        return answer;
      },
      timeout,
      true,
    );

  /** Sends a statement that reads. Inside an open transaction the rows may be old. */
  const read = (sql: string): Promise<Answer> =>
    work(async ({ run }) => {
      const answer = await run(sql);
      if (answer.isInTransaction) throw inTransaction();
      return answer;
    });

  return {
    name: "mysql",

    create: async (id, record, now) => (await write(statements.create(id, record, now))).insertId === 0,

    async load(id) {
      const row = (await read(statements.load(id))).rows[0];
      return row && parseRow(row);
    },

    async commit(id, change, now) {
      const { fields, ifVersion } = change;
      if (fields.size <= MOST_IN_ONE_STATEMENT) {
        const { insertId, affectedRows } = await write(statements.commit(id, change, now));
        if (insertId === 0 && affectedRows > 0) throw hiddenBy(name);
        if (insertId === 0) return "gone";
        return ifVersion === undefined || insertId === ifVersion ? "committed" : "conflict";
      }
      // The caller may change its Map while this waits for the lock.
      const patch = new Map(fields);
      return work(
        ({ run, transaction }) =>
          transaction(async (): Promise<CommitOutcome> => {
            const row = (await run(statements.lock(id, now))).rows[0];
            if (row === undefined) return "gone";
            const record = parseRow(row);
            if (ifVersion !== undefined && record.version !== ifVersion) return "conflict";
            await run(statements.replace(id, mergeFields(new Map(record.fields), patch), change));
            return "committed";
          }),
        timeout,
        true,
      );
    },

    destroy: async (id, now) => (await write(statements.destroy(id, now))).affectedRows === 1,

    async sweep(range) {
      const ids = (await read(statements.expired(range))).rows.map(([id]) => `${id}`);
      let removed = 0;
      for (let done = 0; done < ids.length; done += REMOVE_AT_ONCE) {
        const some = ids.slice(done, done + REMOVE_AT_ONCE);
        removed += (await write(statements.remove(some, range))).affectedRows;
      }
      return removed;
    },

    async list(query, now) {
      return pageById((await read(statements.list(query, now))).rows.map(parseListed), query.limit);
    },

    ...createProvisioning({ table, work }),
  };
}
