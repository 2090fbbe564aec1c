import type { NativeConnections, RawStatements } from "@sessions/sql-clients";
import { ranInTransaction } from "../errors.ts";
import type { PostgresExecutor } from "../executor.ts";
import { ASKS } from "./open-transaction.ts";
import { type PgPoolClientLike, type PgPoolLike, statusOf } from "./pg.ts";

/** A connected `Client` of `pg`, as knex and Sequelize lend it. */
interface LentClient extends Omit<PgPoolClientLike, "release"> {
  end(): Promise<unknown>;
}

function isClient(connection: object): connection is LentClient {
  return "query" in connection && "on" in connection && "end" in connection;
}

/** The connections of an ORM as a pool of `pg`. */
export const ormPool = ({ acquire, release }: NativeConnections): PgPoolLike => ({
  totalCount: 0,
  async connect() {
    const client = await acquire();
    if (!isClient(client)) {
      release(client, false);
      throw new TypeError("The ORM does not lend connections of pg");
    }
    return {
      query: (query) => client.query(query),
      getTransactionStatus: statusOf(client),
      on: (event, listener) => client.on(event, listener),
      off: (event, listener) => client.off(event, listener),
      release(destroy = false) {
        // Ends it now: the ORM does so only when it lends the connection again.
        if (destroy) client.end().catch(() => {});
        release(client, destroy);
      },
    };
  },
});

/** Runs statements through an ORM that keeps its connections to itself. */
export const ormStatements = ({ use }: RawStatements): PostgresExecutor => ({
  run: (text, values, limit) =>
    use(async ({ connection, run }) => {
      limit.throwIfOver();
      const { rows, affected } = await run(text, values);
      // Where the ORM has begun a transaction, this rolls it back.
      limit.throwIfOver();
      // A connection may come with a transaction of the application.
      const mayBeOpen = connection !== undefined && !text.startsWith("SELECT");
      if (mayBeOpen && (await run(ASKS, [])).rows.length > 0) throw ranInTransaction();
      return { rows, rowCount: affected === undefined ? null : Number(affected) };
    }),
});
