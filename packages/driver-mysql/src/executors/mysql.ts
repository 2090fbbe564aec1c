import type { MysqlExecutor } from "../executor.ts";
import { type LendOne, type Line, lend, promised, resultOf, toPool } from "./lending.ts";

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
  destroy?(): void;
}

/** One connection of a pool of the package `mysql`. */
export interface MysqljsPoolConnectionLike extends MysqljsConnectionLike {
  release(): void;
  destroy(): void;
}

/** A pool of the package `mysql`, or nodes of a cluster: `cluster.of("PRIMARY*")`. */
export interface MysqljsPoolLike {
  escapeId(name: string): string;
  getConnection(done: (error: unknown, connection: MysqljsPoolConnectionLike) => void): void;
}

/** Any client of the package `mysql`, except a whole cluster. */
export type AnyMysqljsLike = MysqljsPoolLike | MysqljsConnectionLike;

const PLAIN = {
  nestTables: false,
  typeCast: (field: { buffer(): unknown }) => field.buffer(),
};

const lineOf = (connection: MysqljsConnectionLike): Line => ({
  async send(sql) {
    let flags: unknown;
    const answer = await promised<unknown>((done) => {
      const sent = Object(connection.query({ sql, ...PLAIN }, done));
      // The client does not show the flags behind rows: in a transaction that was left open, the rows may be old.
      const { EofPacket: read } = sent;
      if (typeof read === "function")
        sent.EofPacket = (packet: { serverStatus?: unknown }) => {
          flags = packet.serverStatus;
          read.call(sent, packet);
        };
    });
    return resultOf(answer, flags);
  },
  destroy: async () => connection.destroy?.(),
});

/** Runs statements on a client of `mysql`. Its pool pings a connection before it lends it: one round trip more a call. */
export function mysql(client: AnyMysqljsLike, lendOne: LendOne): MysqlExecutor {
  if (!("getConnection" in client)) return lendOne(client, lineOf(client));
  return {
    async lease(work) {
      const connection = await promised<MysqljsPoolConnectionLike>((done) => client.getConnection(done));
      return lend(lineOf(connection), toPool(connection), work);
    },
  };
}
