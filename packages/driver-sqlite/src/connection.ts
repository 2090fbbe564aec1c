import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { SqliteClientLike, SqliteStatementLike, SqliteValue } from "./client.ts";
import { isContention, transactionIsOpen } from "./errors.ts";

/** A text of SQL, and what is bound to it. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly SqliteValue[];
}

/** Both kinds of handles as one. */
export interface Connection {
  /** Answers how many rows were changed. */
  run(statement: Statement): number;
  /** Each row as its columns. */
  all(statement: Statement): unknown[][];
  /** For what is no data: pragmas. */
  exec(sql: string): void;
}

/** Does some work on the handle, in one go. What others are in the way of wrote nothing, and is tried again. */
export type Use = <T>(work: (connection: Connection) => T) => Promise<T>;

/** Whatever the handle was told about rows: arrays of columns, or objects. In these, names must differ. */
const columnsOf = (row: unknown): unknown[] => Object.values(Object(row));

/** SQLite waits like this too, but blocks the process while it does. */
const MOST_PAUSE_MS = 25;
const pauseAfter = (tries: number): number => Math.min(2 ** tries, MOST_PAUSE_MS) * (0.5 + Math.random() / 2);

/** @param timeout How long to wait for others, in milliseconds. */
export function connectionOf(client: SqliteClientLike, timeout: number): Use {
  const prepared = new Map<string, SqliteStatementLike>();

  function prepare(sql: string): SqliteStatementLike {
    const known = prepared.get(sql) ?? client.prepare(sql);
    prepared.set(sql, known);
    return known;
  }

  const connection: Connection = {
    run: ({ sql, values }) => Number(prepare(sql).run(...values).changes),
    // Never `get`: it leaves a statement before its end, and does not tell that its commit failed.
    all: ({ sql, values }) =>
      prepare(sql)
        .all(...values)
        .map(columnsOf),
    exec(sql) {
      client.exec(sql);
    },
  };

  /** The busy timeout of the handle, which is its owner's. Such a pragma acts while it is prepared: it cannot be kept. */
  const patience = (): number => Number(columnsOf(client.prepare("PRAGMA busy_timeout").all()[0])[0]);

  function attempt<T>(work: (connection: Connection) => T): T {
    // What is written now would be acknowledged, and perhaps rolled back.
    if (client.inTransaction === true || client.isTransaction === true) throw transactionIsOpen();
    const own = patience();
    if (own > 0) client.exec("PRAGMA busy_timeout = 0");
    try {
      return work(connection);
    } catch (error) {
      // Statements of a handle that was closed stay useless when it is opened again.
      prepared.clear();
      throw error;
    } finally {
      if (own > 0) client.exec(`PRAGMA busy_timeout = ${own}`);
    }
  }

  return async (work) => {
    const end = performance.now() + timeout;
    for (let tries = 0; ; tries++) {
      try {
        return attempt(work);
      } catch (error) {
        if (!isContention(error)) throw error;
        await sleep(pauseAfter(tries));
        // However long that was: the process may have been busy with something else.
        if (performance.now() >= end) throw error;
      }
    }
  };
}
