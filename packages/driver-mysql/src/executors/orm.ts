import type { NativeConnections, RawStatements } from "@sessions/sql-clients";
import type { MysqlExecutor } from "../executor.ts";
import { type MysqlConnectionLike, mysql2 } from "./mysql2.ts";

/** A connection of `mysql2` with callbacks, as knex and Sequelize lend it. */
interface LentConnection {
  promise(): MysqlConnectionLike;
  destroy(): void;
}

function isConnection(connection: object): connection is LentConnection {
  return "promise" in connection && "destroy" in connection;
}

/** Runs statements on the connections that an ORM lends. */
export const ormConnections = ({ acquire, release }: NativeConnections): MysqlExecutor =>
  mysql2({
    async getConnection() {
      const connection = await acquire();
      if (!isConnection(connection)) {
        release(connection, false);
        throw new TypeError("The ORM does not lend connections of mysql2");
      }
      let isLent = true;
      const giveBack = (isBroken: boolean): void => {
        if (isLent) release(connection, isBroken);
        isLent = false;
      };
      const promised = connection.promise();
      return {
        query: (statement) => promised.query(statement),
        release: () => giveBack(false),
        // A statement on it may never end, so give it back here.
        destroy() {
          connection.destroy();
          giveBack(true);
        },
      };
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
