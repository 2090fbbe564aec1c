import type { MysqlExecutor, MysqlLease } from "../executor.ts";
import { lend, lendOnly, promised, resultOf } from "./lending.ts";

// The types below are the part of `mysql2` that the driver uses, in both flavours (promises and callbacks).

/** A statement in the form that `mysql2` takes. Its options override the client's own settings for reading rows. */
export interface MysqlStatement {
  readonly sql: string;
  readonly values: string[];
  readonly nestTables: boolean;
  readonly namedPlaceholders: boolean;
  readonly typeCast: (field: { buffer(): Buffer | null }) => Buffer | null;
}

/** One connection, of `mysql2/promise`. */
export interface MysqlConnectionLike {
  query(statement: MysqlStatement): Promise<readonly unknown[]>;
}

/** One connection of a pool, of `mysql2/promise`. */
export interface MysqlPoolConnectionLike extends MysqlConnectionLike {
  release(): void;
  destroy(): void;
}

/** A pool of connections, of `mysql2/promise`. */
export interface MysqlPoolLike {
  getConnection(): Promise<MysqlPoolConnectionLike>;
}

/** A pool or a connection of the flavour with callbacks, `mysql2`. */
export interface MysqlCallbackClientLike {
  promise(): MysqlPoolLike | MysqlConnectionLike;
}

/** Any client of `mysql2`: the result of `createPool` or `createConnection`, with promises or with callbacks. */
export type MysqlClientLike = MysqlPoolLike | MysqlConnectionLike | MysqlCallbackClientLike;

type Send = MysqlLease["send"];

/**
 * Options that shield a statement from the client's own settings. mysql2 calls the client's `typeCast` for every column
 * unless the query passes its own function, so pass one.
 */
const PLAIN: Omit<MysqlStatement, "sql"> = {
  values: [],
  namedPlaceholders: false,
  nestTables: false,
  typeCast: (field) => field.buffer(),
};

const sendBy =
  (connection: MysqlConnectionLike): Send =>
  async (sql) =>
    resultOf((await connection.query({ sql, ...PLAIN }))[0]);

/** The pool with callbacks inside a pool with promises. */
interface CallbackPool {
  getConnection(done: (error: unknown, connection: CallbackConnection) => void): void;
}
interface CallbackConnection extends Omit<MysqlPoolConnectionLike, "query"> {
  readonly config?: { readonly nestTables?: unknown; readonly typeCast?: unknown };
  query(statement: MysqlStatement, done: Done): void;
  query(sql: string, values: string[], done: Done): void;
}
type Done = (error: unknown, answer: unknown) => void;

/** Whether the connection reads rows as the driver needs them. Options per statement make mysql2 a third slower. */
const isPlain = ({ config }: CallbackConnection): boolean => config?.typeCast === true && !config.nestTables;

function isCallbackPool(value: unknown): value is CallbackPool {
  return typeof Object(value).getConnection === "function";
}

/** Faster than a pool with promises, which wraps a connection and records a stack for every statement. */
const callbackPool = (pool: CallbackPool): MysqlExecutor => ({
  async lease(work) {
    const connection = await promised<CallbackConnection>((done) => pool.getConnection(done));
    const send: Send = async (sql) =>
      resultOf(
        await promised<unknown>((done) => {
          if (isPlain(connection)) connection.query(sql, PLAIN.values, done);
          else connection.query({ sql, ...PLAIN }, done);
        }),
      );
    return lend(connection, send, work);
  },
});

/** Runs statements on any of the four kinds of clients of `mysql2`. */
export function mysql2(client: MysqlClientLike): MysqlExecutor {
  const flavour = "promise" in client ? client.promise() : client;
  if (!("getConnection" in flavour)) return lendOnly(client, sendBy(flavour));
  const pool = "pool" in flavour ? flavour.pool : undefined;
  if (isCallbackPool(pool)) return callbackPool(pool);
  return {
    async lease(work) {
      const connection = await flavour.getConnection();
      return lend(connection, sendBy(connection), work);
    },
  };
}
