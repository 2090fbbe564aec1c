import { type Call, serialize } from "@sessions/core/driver-tools";
import { isHarmless, tooLarge, withoutRow } from "./errors.ts";

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

/** The result of a statement. */
export interface Answer {
  /** Binary columns hold the bytes that the server sent; other columns hold what the client read. */
  readonly rows: readonly (readonly unknown[])[];
  readonly affectedRows: number;
  /** The value that the statement gave to `LAST_INSERT_ID(expr)`, or 0. */
  readonly insertId: number;
  /** Whether a transaction is open now. */
  readonly inTransaction: boolean;
}

/** Sends one statement, unless the call has timed out. */
export type Run = (sql: string) => Promise<Answer>;

/** One connection, for one piece of work. */
export interface Lease {
  run: Run;
  /** Runs `body` in a transaction, which is rolled back if `body` rejects. */
  transaction<T>(body: () => Promise<T>): Promise<T>;
}

/** Does some work on a connection that nothing else uses at the same time. */
type Use = <T>(work: (lease: Lease) => Promise<T>, timeout: number, changes: boolean) => Promise<T>;

/** Statements up to this many bytes are sent without asking for `max_allowed_packet`: every known server takes them. */
const SMALL = 65_536;
const IN_TRANSACTION = 1;

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

async function query({ send }: Held, sql: string): Promise<Answer> {
  try {
    const result = await send(sql);
    if (Array.isArray(result))
      return { rows: result.map(Object.values), affectedRows: 0, insertId: 0, inTransaction: false };
    const { affectedRows, insertId, serverStatus }: Record<string, unknown> = Object(result);
    return {
      rows: [],
      affectedRows: Number(affectedRows),
      insertId: Number(insertId),
      inTransaction: (Number(serverStatus) & IN_TRANSACTION) !== 0,
    };
  } catch (error) {
    throw withoutRow(error);
  }
}

/** A connection that nothing else uses at the same time. */
interface Held {
  send(sql: string): Promise<unknown>;
  /** Ends the connection. The server rolls back its transaction, and a statement not yet sent is never sent. */
  discard(): void;
}

/** Lends a connection for one piece of work. */
type Lend = <T>(work: (held: Held) => Promise<T>) => Promise<T>;

async function lendFrom<T>(
  connection: Omit<MysqlPoolConnectionLike, "query">,
  send: Held["send"],
  work: (held: Held) => Promise<T>,
): Promise<T> {
  try {
    return await work({ send, discard: () => connection.destroy() });
  } finally {
    connection.release();
  }
}

const sendBy =
  (connection: MysqlConnectionLike): Held["send"] =>
  async (sql) =>
    (await connection.query({ sql, ...PLAIN }))[0];

const poolLender =
  (pool: MysqlPoolLike): Lend =>
  async (work) => {
    const connection = await pool.getConnection();
    return lendFrom(connection, sendBy(connection), work);
  };

/** The pool with callbacks inside a pool with promises. */
interface CallbackPool {
  getConnection(done: (error: unknown, connection: CallbackConnection) => void): void;
}
interface CallbackConnection extends Omit<MysqlPoolConnectionLike, "query"> {
  readonly config?: { readonly nestTables?: unknown; readonly typeCast?: unknown };
  query(statement: MysqlStatement, done: Done): void;
  query(sql: string, values: string[], done: Done): void;
}
type Done = (error: unknown, result: unknown) => void;

/** Whether the connection reads rows as the driver needs them. Options per statement make mysql2 a third slower. */
const isPlain = ({ config }: CallbackConnection): boolean => config?.typeCast === true && !config.nestTables;

function isCallbackPool(value: unknown): value is CallbackPool {
  return typeof Object(value).getConnection === "function";
}

/** Faster than `poolLender`: a pool with promises wraps a connection and records a stack for every statement. */
const callbackPoolLender =
  (pool: CallbackPool): Lend =>
  async (work) => {
    const connection = await new Promise<CallbackConnection>((resolve, reject) => {
      pool.getConnection((failed, opened) => (failed ? reject(failed) : resolve(opened)));
    });
    const send = (sql: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const done: Done = (error, result) => (error ? reject(error) : resolve(result));
        if (isPlain(connection)) connection.query(sql, PLAIN.values, done);
        else connection.query({ sql, ...PLAIN }, done);
      });
    return lendFrom(connection, send, work);
  };

/**
 * Calls on a single connection wait here, not in the client's queue. So no statement of one call gets into the
 * transaction of another, and a call that has timed out leaves the queue unsent.
 */
const singleLender =
  (client: object, connection: MysqlConnectionLike): Lend =>
  (work) =>
    // The connection belongs to the application, so the driver never ends it.
    serialize(client, () => work({ send: sendBy(connection), discard() {} }));

/** One interface over the four kinds of clients. */
function createLender(client: MysqlClientLike): Lend {
  const promised = "promise" in client ? client.promise() : client;
  if (!("getConnection" in promised)) return singleLender(client, promised);
  const pool = "pool" in promised ? promised.pool : undefined;
  return isCallbackPool(pool) ? callbackPoolLender(pool) : poolLender(promised);
}

/** Lends connections of the client. All work on a connection is one call, with the call's timeout. */
export function createConnection(client: MysqlClientLike, call: Call): Use {
  const lend = createLender(client);
  /** The server's `max_allowed_packet`, read before the first long statement; 0 until then. */
  let longest = 0;

  async function checkLength(connection: Held, sql: string): Promise<void> {
    if (sql.length < longest) return;
    // The server closes the connection after a packet that is too long, so refuse the statement here.
    const { rows } = await query(connection, "SELECT @@max_allowed_packet - 1024");
    longest = Number(rows[0]?.[0]);
    if (sql.length >= longest) throw tooLarge();
  }

  return (work, timeout, changes) => {
    let isLate = false;
    let held: Held | undefined;
    const onLate = (): void => {
      isLate = true;
      // Otherwise a late answer could reach the next call, or a transaction could stay open.
      held?.discard();
    };
    const stopIfLate = (): void => {
      if (isLate) throw new Error("The call has timed out");
    };

    async function use(connection: Held) {
      const { discard } = connection;
      held = connection;
      const run: Run = async (sql) => {
        stopIfLate();
        if (sql.length > SMALL) {
          await checkLength(connection, sql);
          stopIfLate();
        }
        return query(connection, sql);
      };
      try {
        stopIfLate();
        return await work({
          run,
          async transaction(body) {
            await run("START TRANSACTION");
            try {
              const result = await body();
              await run("COMMIT");
              return result;
            } catch (error) {
              // Send it even after the timeout: a single connection is not discarded, and serves the next call.
              await query(connection, "ROLLBACK").catch(discard);
              throw error;
            }
          },
        });
      } catch (error) {
        if (!isHarmless(error)) {
          discard();
          // A new connection may reach a server with another limit.
          longest = 0;
        }
        throw error;
      }
    }

    return call(() => lend(use), timeout, { changes, onLate });
  };
}
