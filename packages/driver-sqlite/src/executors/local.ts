import { OUTSIDE_ONLY, transactionIsOpen } from "../errors.ts";
import type { SqliteExecutor, SqliteStatement, SqliteValue } from "../executor.ts";

// The types below are the part of a handle that the driver uses, for `better-sqlite3`, `node:sqlite` and `bun:sqlite` alike.

/** A prepared statement. */
export interface SqliteStatementLike {
  /** Executes the statement to its end, and returns the number of changed rows. */
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  /** Executes the statement to its end, and returns its rows: objects, or arrays of columns. */
  all(...values: SqliteValue[]): unknown[];
}

/** An open database: `Database` of `better-sqlite3` or `bun:sqlite`, or `DatabaseSync` of `node:sqlite`. */
export interface SqliteClientLike {
  /** Compiles one statement, with anonymous parameters. */
  prepare(sql: string): SqliteStatementLike;
  /** Executes SQL that returns no rows. */
  exec(sql: string): unknown;
  /** `better-sqlite3` and `bun:sqlite`: whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** `node:sqlite`, from Node 22.16 on: whether a transaction is open. */
  readonly isTransaction?: boolean;
  /** `better-sqlite3` alone has it, and alone refuses to execute anything while the application iterates over rows. */
  unsafeMode?(...args: never[]): unknown;
}

/** Some work on the handle. */
type Work<T> = () => T;

/**
 * Runs statements on a handle, which returns or throws at once. No call blocks the process while another connection has
 * the lock: it throws.
 *
 * @param own Whether the driver opened the handle, with a busy timeout of 0. The application may change that of its own
 *   handle.
 */
export function local(client: SqliteClientLike, own: boolean): SqliteExecutor {
  const prepared = new Map<string, SqliteStatementLike>();

  function prepare(sql: string): SqliteStatementLike {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const made = client.prepare(sql);
    prepared.set(sql, made);
    return made;
  }

  const all = ({ sql, values }: SqliteStatement): unknown[] => prepare(sql).all(...values);
  const run = ({ sql, values }: SqliteStatement): number => Number(prepare(sql).run(...values).changes);

  /**
   * For WAL mode. There, readers never wait. A writer would wait for the busy timeout, except in a transaction that has
   * read something: SQLite refuses that at once, because the other writer may wait for the end of the read. So each write
   * begins with a read, which is cheaper than setting the busy timeout to 0 and back.
   */
  function runInWal(statement: SqliteStatement): number {
    prepare("BEGIN").run();
    try {
      prepare("SELECT 1 FROM sqlite_master LIMIT 0").all();
      const changes = run(statement);
      prepare("COMMIT").run();
      return changes;
    } catch (error) {
      rollback();
      throw error;
    }
  }

  function rollback(): void {
    try {
      client.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, for example because the disk is full.
    }
  }

  /** Whether the file is in WAL mode. Others cannot end that mode while this handle has the file open. */
  let isWal: boolean | undefined;

  /** Reads a pragma of one value. The one for the timeout acts while it is prepared, so its statement cannot be cached. */
  const pragma = (name: string): unknown =>
    Object.values(Object(client.prepare(`PRAGMA ${name}`).all()[0]))[0];

  /** Does the work with a busy timeout of 0, and restores the handle's own afterwards. */
  function withoutWaiting<T>(work: Work<T>): T {
    const found = Number(pragma("busy_timeout"));
    if (found > 0) client.exec("PRAGMA busy_timeout = 0");
    try {
      return work();
    } finally {
      if (found > 0) client.exec(`PRAGMA busy_timeout = ${found}`);
    }
  }

  /** Whether the handle would wait where another connection has the lock. */
  function waits(): boolean {
    if (own) return false;
    isWal ??= withoutWaiting(() => pragma("journal_mode") === "wal");
    return !isWal;
  }

  /** Does the work only if no transaction is open. */
  function outside<T>(work: Work<T>): T {
    client.exec(OUTSIDE_ONLY);
    return work();
  }

  function attempt<T>(work: Work<T>): T {
    try {
      // A write inside the application's transaction would be acknowledged, and perhaps rolled back with it.
      const isOpen = client.inTransaction ?? client.isTransaction;
      if (isOpen) throw transactionIsOpen();
      const guarded = isOpen === undefined && !own ? () => outside(work) : work;
      return waits() ? withoutWaiting(guarded) : guarded();
    } catch (error) {
      // After a handle is closed and opened again, perhaps on another file, its old statements do not work.
      prepared.clear();
      isWal = undefined;
      throw error;
    }
  }

  return {
    isFile: true,
    read: (statement) =>
      attempt(() => {
        // During an iterate() of the application a read would see only what was there at its beginning.
        if (!own && client.unsafeMode !== undefined) client.exec("");
        const rows = all(statement);
        // It may have changed the mode.
        if (statement.sql.startsWith("PRAGMA")) isWal = undefined;
        return rows;
      }),
    write: (statement) => attempt(() => (isWal ? runInWal(statement) : run(statement))),
  };
}
