import { DriverUnavailableError, SessionConfigError } from "@sessions/core";
import type { NativeConnections, RawStatements } from "@sessions/sql-clients";
import { OUTSIDE_ONLY } from "../errors.ts";
import type { SqliteExecutor, SqliteStatement, SqliteTimeLimit } from "../executor.ts";
import { local, type SqliteClientLike } from "./local.ts";

function isHandle(connection: object): connection is SqliteClientLike {
  return "prepare" in connection && "exec" in connection;
}

function throwIfOver({ isOver }: SqliteTimeLimit): void {
  if (isOver())
    throw new DriverUnavailableError(
      "sqlite: the call timed out before its statement ran. Nothing was changed.",
    );
}

/** Runs statements on the handles that an ORM lends. */
export function ormHandles({ acquire, release }: NativeConnections): SqliteExecutor {
  const known = new WeakMap<object, SqliteExecutor>();

  async function on<T>(
    limit: SqliteTimeLimit,
    work: (executor: SqliteExecutor) => T | Promise<T>,
  ): Promise<T> {
    const handle = await acquire();
    try {
      throwIfOver(limit);
      if (!isHandle(handle)) throw new TypeError("The ORM does not lend handles of better-sqlite3");
      const executor = known.get(handle) ?? local(handle, false);
      known.set(handle, executor);
      return await work(executor);
    } finally {
      release(handle, false);
    }
  }
  return {
    isFile: true,
    read: (statement, limit) => on(limit, (executor) => executor.read(statement, limit)),
    write: (statement, limit) => on(limit, (executor) => executor.write(statement, limit)),
  };
}

/** Runs statements through an ORM that keeps its handle to itself. */
export function ormStatements({ use }: RawStatements): SqliteExecutor {
  const send = ({ sql, values }: SqliteStatement, limit: SqliteTimeLimit) =>
    use(async ({ run }) => {
      throwIfOver(limit);
      const [row] = (await run("PRAGMA busy_timeout", [])).rows;
      const found = Number(Object.values(Object(row))[0]);
      // With a timeout, the statement would block the process while another connection has the lock.
      if (found > 0) await run("PRAGMA busy_timeout = 0", []);
      try {
        await run(OUTSIDE_ONLY, []);
        return await run(sql, values);
      } finally {
        if (found > 0) await run(`PRAGMA busy_timeout = ${found}`, []);
      }
    });
  return {
    isFile: true,
    read: async (statement, limit) => (await send(statement, limit)).rows,
    async write(statement, limit) {
      const { affected } = await send(statement, limit);
      // Without it, every write would look like one to a record that is gone. Of a table's definition it says nothing.
      if (affected === undefined && /^(INSERT|UPDATE|DELETE)/.test(statement.sql))
        throw new SessionConfigError(
          "client must say how many rows a statement changed, and this ORM's dialect does not: give the driver a handle on the same file",
        );
      return Number(affected ?? 0);
    },
  };
}
