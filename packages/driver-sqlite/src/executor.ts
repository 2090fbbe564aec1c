/** A value bound to a statement. */
export type SqliteValue = string | number | null;

/** A text of SQL, and the values of its anonymous parameters. */
export interface SqliteStatement {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

/** The time that one call has. */
export interface SqliteTimeLimit {
  /**
   * Returns a signal that aborts when the call has failed for lack of time. A statement that has not been sent by then
   * must never be sent.
   */
  signal(): AbortSignal;
  /** Whether the call has failed for lack of time. It costs nothing, and suits a client that asks as it sends. */
  isOver(): boolean;
}

/**
 * Runs the driver's statements on one kind of client. All else (the statements, decoding, waiting for locks) is the
 * driver's. The guide is `docs/clients.md`.
 *
 * - Each statement is one atomic step of its own, outside of any transaction of the application: what is rolled back
 *   later would have been acknowledged. It runs to its end before the method returns or resolves.
 * - A method that works at once returns, or throws. A method that waits returns a promise. No method blocks the process
 *   while it waits.
 * - Reads see all that was written before. They never go to a replica.
 * - A statement is sent at most once. Nothing is sent after its signal has aborted.
 * - An error of SQLite has the code of SQLite as its `code`, such as `"SQLITE_BUSY"`, or at the end of its message. After
 *   `SQLITE_BUSY` and `SQLITE_LOCKED` the driver tries again until the call's time is over. Any other error means that the
 *   database was not reached.
 * - A call may take longer than its limit: the driver rejects in time by itself.
 */
export interface SqliteExecutor {
  /**
   * Whether the database is a file that this machine opens, or in its memory. `setup()` then puts it into WAL mode, and
   * `check()` looks at its modes. A server decides those itself.
   */
  readonly isFile: boolean;
  /** The most bytes that a record may hold, if that is less than 1 MiB. It is the driver's `maxRecordBytes`. */
  readonly maxRecordBytes?: number;
  /** Runs a statement that returns rows: arrays of columns, or objects in which the columns have their order. */
  read(statement: SqliteStatement, limit: SqliteTimeLimit): readonly unknown[] | Promise<readonly unknown[]>;
  /** Runs a statement that writes, and returns how many rows it has changed. */
  write(statement: SqliteStatement, limit: SqliteTimeLimit): number | Promise<number>;
}
