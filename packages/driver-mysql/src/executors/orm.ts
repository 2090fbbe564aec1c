import type { NativeConnections, RawStatements } from "@sessions/sql-clients";
import type { MysqlExecutor } from "../executor.ts";

/**
 * Runs statements on the connections that an ORM lends.
 *
 * @param executorOf Makes the executor for one such connection, of any package.
 */
export const ormConnections = (
  { acquire, release }: NativeConnections,
  executorOf: (connection: object) => MysqlExecutor,
): MysqlExecutor => ({
  async lease(work) {
    const connection = await acquire();
    let isLent = true;
    const giveBack = (isBroken: boolean): void => {
      if (isLent) release(connection, isBroken);
      isLent = false;
    };
    // A statement on it may never end, so it is given back at once.
    const discard = (): void => {
      const destroy: unknown = Reflect.get(connection, "destroy");
      if (typeof destroy === "function") destroy.call(connection);
      giveBack(true);
    };
    try {
      return await executorOf(connection).lease((lease) => work({ ...lease, discard }));
    } finally {
      giveBack(false);
    }
  },
});

/** Runs statements through an ORM that keeps its connections to itself. Such a connection cannot be ended. */
export const ormStatements = ({ use }: RawStatements): MysqlExecutor => ({
  lease: (work) =>
    use(({ connection, run }) =>
      work({
        connection,
        async send(sql) {
          const { rows, affected, insertId } = await run(sql, []);
          return { rows, affectedRows: affected, insertId };
        },
        discard() {},
      }),
    ),
});
