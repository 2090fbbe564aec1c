import type { MysqlExecutor, MysqlResult } from "../executor.ts";
import { isOpen, type LendOne, type Line, lend, toPool } from "./lending.ts";

// The types below are the part of `mariadb` that the driver uses, in both flavours (promises and callbacks).

/** A statement in the form that `mariadb` takes. Its options override the client's own settings for reading rows. */
export interface MariadbStatement {
  readonly sql: string;
  readonly rowsAsArray: boolean;
  readonly metaAsArray: boolean;
  readonly namedPlaceholders: boolean;
  readonly typeCast: (field: { buffer(): Buffer | null }) => Buffer | null;
}

/** One connection of `mariadb` or `mariadb/callback`. */
export interface MariadbConnectionLike {
  /** Holds the flags of the server's last answer. */
  readonly info: { readonly status: number } | null;
  batch(...args: never[]): unknown;
  query(
    statement: MariadbStatement,
    values: undefined,
    done: (error: unknown, answer?: unknown) => void,
  ): unknown;
  destroy?(): void;
}

/** One connection of a pool of `mariadb` or `mariadb/callback`. */
export interface MariadbPoolConnectionLike extends MariadbConnectionLike {
  release(done: () => void): unknown;
  destroy(): void;
}

/** A pool of `mariadb`, or nodes of a cluster: `cluster.of("PRIMARY*")`. */
export interface MariadbPoolLike {
  batch(...args: never[]): unknown;
  getConnection(): Promise<MariadbPoolConnectionLike>;
}

/** A pool of `mariadb/callback`, or nodes of a cluster. */
export interface MariadbCallbackPoolLike {
  batch(...args: never[]): unknown;
  getConnection(done: (error: unknown, connection?: MariadbPoolConnectionLike) => void): void;
}

/** Any client of `mariadb`, except a whole cluster. */
export type AnyMariadbLike = MariadbConnectionLike | MariadbPoolLike | MariadbCallbackPoolLike;

const PLAIN: Omit<MariadbStatement, "sql"> = {
  rowsAsArray: true,
  metaAsArray: false,
  namedPlaceholders: false,
  typeCast: (field) => field.buffer(),
};

const isPromise = (value: unknown): value is PromiseLike<never> => typeof Object(value).then === "function";

/** What a method returns in either flavour: both take the same arguments, but one ignores the callback. */
const inEither = <T>(call: (done: (error: unknown, value?: T) => void) => unknown): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const returned = call((error, value) => (error ? reject(error) : resolve(value)));
    if (isPromise(returned)) resolve(returned);
  });

async function query(connection: MariadbConnectionLike, sql: string): Promise<MysqlResult> {
  const answer = await inEither<unknown>((done) => connection.query({ sql, ...PLAIN }, undefined, done));
  if (Array.isArray(answer)) return { rows: answer };
  const { affectedRows, insertId }: Record<string, unknown> = Object(answer);
  return {
    rows: [],
    affectedRows: Number(affectedRows),
    insertId: Number(insertId),
    inTransaction: isOpen(connection.info?.status),
  };
}

/**
 * While a statement runs, the client's `destroy()` sends `KILL` on another connection, which may reach another server,
 * and whose failure it leaves unhandled: that ends the process. So wait for the statement, and send no more.
 */
function lineOf(connection: MariadbConnectionLike): Line {
  let last: Promise<unknown> = Promise.resolve();
  let isEnding = false;
  return {
    async send(sql) {
      if (isEnding) throw new Error("The connection is about to be ended");
      const result = query(connection, sql);
      last = result;
      return result;
    },
    async destroy() {
      isEnding = true;
      await last.catch(() => {});
      connection.destroy?.();
    },
  };
}

/** Runs statements on a client of `mariadb`. */
export function mariadb(client: AnyMariadbLike, lendOne: LendOne): MysqlExecutor {
  if (!("getConnection" in client)) return lendOne(client, lineOf(client));
  return {
    async lease(work) {
      const connection = await inEither<MariadbPoolConnectionLike>((done) => client.getConnection(done));
      if (connection === undefined) throw new Error("The pool returned no connection");
      return lend(lineOf(connection), toPool({ release: () => connection.release(() => {}) }), work);
    },
  };
}
