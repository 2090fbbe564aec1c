import type { NativeConnections, RawStatements } from "@sessions/sql-clients";
import type { MysqlExecutor } from "../executor.ts";
import { type LendOne, lend } from "./lending.ts";

/**
 * Runs statements on the connections that an ORM lends.
 *
 * @param executorOf Makes the executor for one such connection, of any package.
 */
export const ormConnections = (
  { acquire, release }: NativeConnections,
  executorOf: (connection: object, lendOne: LendOne) => MysqlExecutor,
): MysqlExecutor => ({
  async lease(work) {
    const connection = await acquire();
    let executor: MysqlExecutor;
    try {
      executor = executorOf(connection, (_, line) => ({
        lease: (body) => lend(line, (isEnded) => release(connection, isEnded), body),
      }));
    } catch (error) {
      release(connection, false);
      throw error;
    }
    return executor.lease(work);
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
