import { type Call, serialize } from "@sessions/core/driver-tools";
import { isHarmless, tooLarge, withoutRow } from "./errors.ts";

// The little that the driver uses of the package `mysql2`, in both of its flavours.

/** A statement, and how its answer is to be read whatever the client's own settings say. */
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

/** Any client of the package `mysql2`: what `createPool` or `createConnection` answers, with promises or with callbacks. */
export type MysqlClientLike = MysqlPoolLike | MysqlConnectionLike | MysqlCallbackClientLike;

/** What a statement came to. */
export interface Answer {
  /** Binary columns as the bytes that the server sent, the others as the client reads them. */
  readonly rows: readonly (readonly unknown[])[];
  readonly affectedRows: number;
  /** What `LAST_INSERT_ID(expr)` was told in this statement, or 0. */
  readonly insertId: number;
  /** Whether a transaction is open now. */
  readonly inTransaction: boolean;
}

/** Sends one statement, unless the time is over. */
export type Run = (sql: string) => Promise<Answer>;

/** One connection, for one piece of work. */
export interface Lease {
  run: Run;
  /** All of the statements in it or none: begins a transaction, and commits it or rolls it back. */
  transaction<T>(body: () => Promise<T>): Promise<T>;
}

/** Does some work on a connection that nothing else uses meanwhile. */
type Use = <T>(work: (lease: Lease) => Promise<T>, timeout: number) => Promise<T>;

/** A server that takes no statement of this many bytes is not known. Shorter ones are sent without asking it. */
const SMALL = 65_536;
const IN_TRANSACTION = 1;

/**
 * The client's own settings must not read the statement's text, nor change what comes back. Nothing but a function keeps
 * another function from being asked for every column.
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

/** A connection that nothing else uses meanwhile. */
interface Held {
  send(sql: string): Promise<unknown>;
  /** Ends it: its transaction is rolled back, and what it has not sent is never sent. */
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

/** The pool with callbacks that the client's one with promises stands on. */
interface CallbackPool {
  getConnection(done: (error: unknown, connection: CallbackConnection) => void): void;
}
interface CallbackConnection extends Omit<MysqlPoolConnectionLike, "query"> {
  readonly config?: { readonly nestTables?: unknown; readonly typeCast?: unknown };
  query(statement: MysqlStatement, done: Done): void;
  query(sql: string, values: string[], done: Done): void;
}
type Done = (error: unknown, result: unknown) => void;

/** Whether it reads rows as the driver needs them. Told how with every statement, the client takes a third longer. */
const isPlain = ({ config }: CallbackConnection): boolean => config?.typeCast === true && !config.nestTables;

function isCallbackPool(value: unknown): value is CallbackPool {
  return typeof Object(value).getConnection === "function";
}

/** The same, at a lower price: the one with promises wraps a connection, and takes down the stack, for every statement. */
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
 * One connection does one thing after the other. To wait here, and not in the client's queue, keeps the statements of one
 * call out of another call's transaction, and lets a call whose time is over leave without being sent.
 */
const singleLender =
  (client: object, connection: MysqlConnectionLike): Lend =>
  (work) =>
    // It is not the driver's to end.
    serialize(client, () => work({ send: sendBy(connection), discard() {} }));

/** The four kinds of clients as one. */
function createLender(client: MysqlClientLike): Lend {
  const promised = "promise" in client ? client.promise() : client;
  if (!("getConnection" in promised)) return singleLender(client, promised);
  const pool = "pool" in promised ? promised.pool : undefined;
  return isCallbackPool(pool) ? callbackPoolLender(pool) : poolLender(promised);
}

/** What is done on a connection is a call, and ends in time. */
export function createConnection(client: MysqlClientLike, call: Call): Use {
  const lend = createLender(client);
  /** The longest packet that the server takes, once a long statement has asked. */
  let longest = 0;

  async function checkLength(connection: Held, sql: string): Promise<void> {
    if (sql.length < longest) return;
    // Sent nevertheless, it would cost the connection.
    const { rows } = await query(connection, "SELECT @@max_allowed_packet - 1024");
    longest = Number(rows[0]?.[0]);
    if (sql.length >= longest) throw tooLarge();
  }

  return (work, timeout) => {
    let isLate = false;
    let held: Held | undefined;
    const onLate = (): void => {
      isLate = true;
      // Its answer would come too late, or its transaction stay open.
      held?.discard();
    };
    const stopIfLate = (): void => {
      if (isLate) throw new Error("The time for this call is over");
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
              // Also where the time is over: a connection that is not discarded goes on.
              await query(connection, "ROLLBACK").catch(discard);
              throw error;
            }
          },
        });
      } catch (error) {
        if (!isHarmless(error)) {
          discard();
          // Where a new connection comes, its limit may be another.
          longest = 0;
        }
        throw error;
      }
    }

    return call(() => lend(use), timeout, onLate);
  };
}
