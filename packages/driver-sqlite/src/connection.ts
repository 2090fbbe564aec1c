import { performance } from "node:perf_hooks";
import { retry } from "@sessions/core/driver-tools";
import { isContention, transactionIsOpen, withoutRow } from "./errors.ts";

// The little that the driver uses of a handle, be it of `better-sqlite3` or of `node:sqlite`.

/** What is bound to a statement. */
export type SqliteValue = string | number | null;

/** What `prepare` answers. */
export interface SqliteStatementLike {
  /** Executes it to its end, and answers how many rows were changed. */
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  /** Executes it to its end, and answers its rows: objects, or arrays of columns. */
  all(...values: SqliteValue[]): unknown[];
  /** Answers its first row. */
  get(...values: SqliteValue[]): unknown;
}

/** An open database: `Database` of the package `better-sqlite3`, or `DatabaseSync` of `node:sqlite`. */
export interface SqliteClientLike {
  /** Compiles one statement, with anonymous parameters. */
  prepare(sql: string): SqliteStatementLike;
  /** Executes what answers no rows. */
  exec(sql: string): unknown;
  /** `better-sqlite3`: whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** `node:sqlite`, from Node 22.16 on: whether a transaction is open. */
  readonly isTransaction?: boolean;
}

/** A text of SQL, and what is bound to it. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

const JOURNAL_MODE: Statement = { sql: "PRAGMA journal_mode", values: [] };

/** Both kinds of handles as one. */
interface Handle {
  /** For what writes: answers how many rows were changed. */
  run(statement: Statement): number;
  /** Each row as its columns. */
  all(statement: Statement): unknown[][];
  /** The first row of what only reads. */
  get(statement: Statement): unknown[] | undefined;
  /** For a pragma that may change what the file is. */
  exec(sql: string): void;
}

/** Some work on the handle, done in one go. */
export type Work<T> = (handle: Handle) => T;

/** How a handle is used by calls, none of which blocks the process for what others have locked. */
export interface Connection {
  /** Does it at once, or throws. What others were in the way of wrote nothing. */
  attempt<T>(work: Work<T>): T;
  /** What is left to do where that threw: waits, and tries again, where others were in the way. */
  again<T>(work: Work<T>, error: unknown): Promise<T>;
}

/** Whatever the handle was told about rows: arrays of columns, or objects. In these, names must differ. */
const columnsOf = (row: unknown): unknown[] => Object.values(Object(row));

/** How a handle is used. */
export interface ConnectionRules {
  /** How long to wait for others, in milliseconds. */
  readonly timeout: number;
  /** Whether the handle is the driver's own, with a busy timeout of 0. That of the application's is not known, and may change. */
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
    // Not for what writes: it leaves a statement before its end, and does not tell that its commit failed.
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
   * In WAL mode, where it costs less than to put the busy timeout away. Who reads waits for nobody there; who writes would,
   * but not who reads already: SQLite refuses at once, for the other may wait for the end of that reading.
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
      // SQLite has done it by itself, as where the disk is full.
    }
  }

  /** Others cannot end the mode while this handle has the file open. */
  let isWal: boolean | undefined;

  /** The busy timeout of the handle, which is its owner's. Such a pragma acts while it is prepared: it cannot be kept. */
  const patience = (): number => Number(columnsOf(client.prepare("PRAGMA busy_timeout").all()[0])[0]);

  function impatiently<T>(work: Work<T>): T {
    const found = patience();
    if (found > 0) client.exec("PRAGMA busy_timeout = 0");
    try {
      return work(plain);
    } finally {
      if (found > 0) client.exec(`PRAGMA busy_timeout = ${found}`);
    }
  }

  function attempt<T>(work: Work<T>): T {
    try {
      // What is written now would be acknowledged, and perhaps rolled back.
      if (client.inTransaction === true || client.isTransaction === true) throw transactionIsOpen();
      if (own) return work(plain);
      isWal ??= impatiently(({ all }) => all(JOURNAL_MODE)[0]?.[0] === "wal");
      return isWal ? work(inWal) : impatiently(work);
    } catch (error) {
      // Statements of a handle that was closed stay useless when it is opened again, perhaps on another file.
      prepared.clear();
      isWal = undefined;
      throw error;
    }
  }

  return {
    attempt,

    // SQLite waits like this too, but blocks the process while it does.
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
