import { performance } from "node:perf_hooks";
import { retry } from "@sessions/core/driver-tools";
import { isContention, transactionIsOpen, withoutRow } from "./errors.ts";

// The types below are the part of a handle that the driver uses, for `better-sqlite3` and `node:sqlite` alike.

/** A value bound to a statement. */
export type SqliteValue = string | number | null;

/** A prepared statement. */
export interface SqliteStatementLike {
  /** Executes the statement to its end, and returns the number of changed rows. */
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  /** Executes the statement to its end, and returns its rows: objects, or arrays of columns. */
  all(...values: SqliteValue[]): unknown[];
  /** Returns the first row. */
  get(...values: SqliteValue[]): unknown;
}

/** An open database: `Database` of the package `better-sqlite3`, or `DatabaseSync` of `node:sqlite`. */
export interface SqliteClientLike {
  /** Compiles one statement, with anonymous parameters. */
  prepare(sql: string): SqliteStatementLike;
  /** Executes SQL that returns no rows. */
  exec(sql: string): unknown;
  /** `better-sqlite3`: whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** `node:sqlite`, from Node 22.16 on: whether a transaction is open. */
  readonly isTransaction?: boolean;
}

/** A text of SQL, and the values bound to it. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

const JOURNAL_MODE: Statement = { sql: "PRAGMA journal_mode", values: [] };

/** One interface over both kinds of handles. */
interface Handle {
  /** Executes a statement that writes, and returns the number of changed rows. */
  run(statement: Statement): number;
  /** Returns all rows, each as an array of columns. */
  all(statement: Statement): unknown[][];
  /** Returns the first row of a statement that only reads. */
  get(statement: Statement): unknown[] | undefined;
  /** Executes a pragma that may change the file's journal mode. */
  exec(sql: string): void;
}

/** Some work on the handle, done synchronously. */
export type Work<T> = (handle: Handle) => T;

/** Runs work on the handle. No call blocks the process while it waits for the lock of another connection. */
export interface Connection {
  /** Does the work at once, or throws. If another connection was in the way, nothing was written. */
  attempt<T>(work: Work<T>): T;
  /** Goes on after `attempt` threw `error`: if another connection was in the way, waits and tries again. */
  again<T>(work: Work<T>, error: unknown): Promise<T>;
}

/** Reads a row as columns. The handle may return arrays or objects; in objects, the names of columns must differ. */
const columnsOf = (row: unknown): unknown[] => Object.values(Object(row));

/** How to use a handle. */
export interface ConnectionRules {
  /** How long to wait for the locks of other connections, in milliseconds. */
  readonly timeout: number;
  /** Whether the driver opened the handle, with a busy timeout of 0. The application may change that of its own handle. */
  readonly own: boolean;
}

export function createConnection(client: SqliteClientLike, { timeout, own }: ConnectionRules): Connection {
  const prepared = new Map<string, SqliteStatementLike>();

  function prepare(sql: string): SqliteStatementLike {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const made = client.prepare(sql);
    prepared.set(sql, made);
    return made;
  }

  const plain: Handle = {
    run: ({ sql, values }) => Number(prepare(sql).run(...values).changes),
    all: ({ sql, values }) =>
      prepare(sql)
        .all(...values)
        .map(columnsOf),
    // For reads only: get() leaves a statement before its end, so a failed commit of a write would go unnoticed.
    get({ sql, values }) {
      const row = prepare(sql).get(...values);
      return row === undefined ? undefined : columnsOf(row);
    },
    exec(sql) {
      isWal = undefined;
      client.exec(sql);
    },
  };

  /**
   * For WAL mode. There, readers never wait. A writer would wait for the busy timeout, except in a transaction that has
   * read something: SQLite refuses that at once, because the other writer may wait for the end of the read. So each write
   * begins with a read, which is cheaper than setting the busy timeout to 0 and back.
   */
  const inWal: Handle = {
    ...plain,
    run(statement) {
      prepare("BEGIN").run();
      try {
        prepare("SELECT 1 FROM sqlite_master LIMIT 0").get();
        const changes = plain.run(statement);
        prepare("COMMIT").run();
        return changes;
      } catch (error) {
        rollback();
        throw error;
      }
    },
  };

  function rollback(): void {
    try {
      client.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, for example because the disk is full.
    }
  }

  /** Whether the file is in WAL mode. Others cannot end that mode while this handle has the file open. */
  let isWal: boolean | undefined;

  /** Reads the handle's busy timeout. This pragma acts while it is prepared, so its statement cannot be cached. */
  const busyTimeout = (): number => Number(columnsOf(client.prepare("PRAGMA busy_timeout").all()[0])[0]);

  /** Does the work with a busy timeout of 0, and restores the handle's own afterwards. */
  function withoutWaiting<T>(work: Work<T>): T {
    const found = busyTimeout();
    if (found > 0) client.exec("PRAGMA busy_timeout = 0");
    try {
      return work(plain);
    } finally {
      if (found > 0) client.exec(`PRAGMA busy_timeout = ${found}`);
    }
  }

  function attempt<T>(work: Work<T>): T {
    try {
      // A write inside the application's transaction would be acknowledged, and perhaps rolled back with it.
      if (client.inTransaction === true || client.isTransaction === true) throw transactionIsOpen();
      if (own) return work(plain);
      isWal ??= withoutWaiting(({ all }) => all(JOURNAL_MODE)[0]?.[0] === "wal");
      return isWal ? work(inWal) : withoutWaiting(work);
    } catch (error) {
      // After a handle is closed and opened again, perhaps on another file, its old statements do not work.
      prepared.clear();
      isWal = undefined;
      throw error;
    }
  }

  return {
    attempt,

    // SQLite's busy timeout waits too, but blocks the process.
    again: (work, first) =>
      retry(
        (attempts) => {
          if (attempts === 1) throw first;
          return attempt(work);
        },
        { isContention, deadline: performance.now() + timeout },
      ).catch((error: unknown) => {
        throw withoutRow(error);
      }),
  };
}
