import { type Call, retry } from "@sessions/core/driver-tools";
import { isContention, withoutRow } from "./errors.ts";
import type { SqliteExecutor, SqliteStatement, SqliteTimeLimit } from "./executor.ts";

/**
 * Ways to run a statement. Each rejects with a `SessionError`. `end`, by `performance.now()`, is the end of the time that
 * several statements have together; without it a statement has the driver's timeout.
 */
export interface Calls {
  /** Returns all rows, each as an array of columns. */
  read(statement: SqliteStatement, end?: number): Promise<unknown[][]> | unknown[][];
  /** Returns the number of changed rows. */
  write(statement: SqliteStatement, end?: number): Promise<number> | number;
}

/** Reads a row as columns. */
const columnsOf = (row: unknown): unknown[] => Object.values(Object(row));

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => typeof Object(value).then === "function";

/** Makes calls of an executor's statements. A call that meets another connection's lock tries again. */
export function createCalls(executor: SqliteExecutor, call: Call, timeout: number): Calls {
  /** A handle returns or throws at once, so that usually no promise is needed. */
  function run<T>(
    work: (limit: SqliteTimeLimit) => T | Promise<T>,
    changes: boolean,
    end = performance.now() + timeout,
  ): T | Promise<T> {
    let controller: AbortController | undefined;
    let isLate = false;
    const limit: SqliteTimeLimit = {
      isOver: () => isLate,
      signal() {
        controller ??= new AbortController();
        if (isLate) controller.abort();
        return controller.signal;
      },
    };
    // A second statement whose time is used up is not sent: the call rejects without it.
    if (performance.now() >= end) return call(async () => work(limit), 0, { changes });
    let first: Promise<T>;
    // What happens at once needs no limit, and its last error says what was in the way.
    let time = Number.POSITIVE_INFINITY;
    try {
      const result = work(limit);
      if (!isPromise(result)) return result;
      time = end - performance.now();
      first = result;
    } catch (error) {
      first = Promise.reject(error);
    }
    // If no time is left, nothing else looks at it.
    first.catch(() => {});
    return call(
      () =>
        retry((attempt) => (attempt === 1 ? first : work(limit)), { isContention, deadline: end }).catch(
          (error: unknown) => {
            throw withoutRow(error);
          },
        ),
      time,
      {
        changes,
        onLate() {
          isLate = true;
          controller?.abort();
        },
      },
    );
  }

  return {
    read(statement, end) {
      const rows = run((limit) => executor.read(statement, limit), false, end);
      return isPromise(rows) ? rows.then((all) => all.map(columnsOf)) : rows.map(columnsOf);
    },
    write: (statement, end) => run((limit) => executor.write(statement, limit), true, end),
  };
}
