import type { MysqlExecutor, MysqlLease } from "../executor.ts";
import { isOpen, lend, lendOnly } from "./lending.ts";

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
}

/** One connection of a pool of `mariadb` or `mariadb/callback`. */
export interface MariadbPoolConnectionLike extends MariadbConnectionLike {
  release(done: () => void): unknown;
  destroy(): void;
}

/** A pool of `mariadb`, or nodes of a cluster. */
export interface MariadbPoolLike {
  batch(...args: never[]): unknown;
  getConnection(): Promise<MariadbPoolConnectionLike>;
}

/** A pool of `mariadb/callback`. */
export interface MariadbCallbackPoolLike {
  batch(...args: never[]): unknown;
  getConnection(done: (error: unknown, connection?: MariadbPoolConnectionLike) => void): void;
}

/** A cluster of `mariadb`. */
export interface MariadbClusterLike {
  of(pattern: string): unknown;
  getConnection(): Promise<MariadbPoolConnectionLike>;
}

/** Any client of `mariadb`, except a cluster with callbacks. */
export type AnyMariadbLike =
  | MariadbConnectionLike
  | MariadbPoolLike
  | MariadbCallbackPoolLike
  | MariadbClusterLike;

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

const sendBy =
  (connection: MariadbConnectionLike): MysqlLease["send"] =>
  async (sql) => {
    const answer = await inEither<unknown>((done) => connection.query({ sql, ...PLAIN }, undefined, done));
    if (Array.isArray(answer)) return { rows: answer };
    const { affectedRows, insertId }: Record<string, unknown> = Object(answer);
    return {
      rows: [],
      affectedRows: Number(affectedRows),
      insertId: Number(insertId),
      inTransaction: isOpen(connection.info?.status),
    };
  };

/** Runs statements on a client of `mariadb`. */
export function mariadb(client: AnyMariadbLike): MysqlExecutor {
  if (!("getConnection" in client)) return lendOnly(client, sendBy(client));
  return {
    async lease(work) {
      const connection =
        // A cluster would take the callback for a pattern.
        "of" in client
          ? await client.getConnection()
          : await inEither<MariadbPoolConnectionLike>((done) => client.getConnection(done));
      if (connection === undefined) throw new Error("The pool returned no connection");
      const send = sendBy(connection);
      let last: Promise<unknown> = Promise.resolve();
      // While a statement runs, the client's destroy() sends KILL on another connection, which may reach another server,
      // and whose failure it leaves unhandled: that ends the process. So wait for the statement.
      const destroy = (): void => void last.catch(() => {}).then(() => connection.destroy());
      return lend(
        { release: () => connection.release(() => {}), destroy },
        (sql) => (last = send(sql)),
        work,
      );
    },
  };
}
