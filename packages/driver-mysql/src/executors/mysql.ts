import type { MysqlExecutor, MysqlLease } from "../executor.ts";
import { lend, lendOnly, promised, resultOf } from "./lending.ts";

/** A statement in the form that `mysql` takes. Its options override the client's own settings for reading rows. */
export interface MysqljsStatement {
  readonly sql: string;
  readonly nestTables?: boolean | undefined;
  readonly typeCast?: unknown;
}

/** One connection of the package `mysql`. */
export interface MysqljsConnectionLike {
  escapeId(name: string): string;
  query(statement: MysqljsStatement, done: (error: unknown, answer?: unknown) => void): unknown;
}

/** One connection of a pool of the package `mysql`. */
export interface MysqljsPoolConnectionLike extends MysqljsConnectionLike {
  release(): void;
  destroy(): void;
}

/** A pool of the package `mysql`. */
export interface MysqljsPoolLike {
  escapeId(name: string): string;
  getConnection(done: (error: unknown, connection: MysqljsPoolConnectionLike) => void): void;
}

/** Any client of the package `mysql`: the result of `createPool` or `createConnection`. */
export type AnyMysqljsLike = MysqljsPoolLike | MysqljsConnectionLike;

const PLAIN = {
  nestTables: false,
  typeCast: (field: { buffer(): unknown }) => field.buffer(),
};

const sendBy =
  (connection: MysqljsConnectionLike): MysqlLease["send"] =>
  async (sql) =>
    resultOf(await promised((done) => connection.query({ sql, ...PLAIN }, done)));

/** Runs statements on a client of `mysql`. Its pool pings a connection before it lends it: one round trip more a call. */
export function mysql(client: AnyMysqljsLike): MysqlExecutor {
  if (!("getConnection" in client)) return lendOnly(client, sendBy(client));
  return {
    async lease(work) {
      const connection = await promised<MysqljsPoolConnectionLike>((done) => client.getConnection(done));
      return lend(connection, sendBy(connection), work);
    },
  };
}
