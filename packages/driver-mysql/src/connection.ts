import type { Call } from "@sessions/core/driver-tools";
import type {
  MysqlClientLike,
  MysqlConnectionLike,
  MysqlPoolConnectionLike,
  MysqlPoolLike,
  MysqlStatement,
} from "./client.ts";
import { isHarmless, tooLarge, withoutRow } from "./errors.ts";

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

/** Does some work on a connection that nobody else uses meanwhile. */
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

interface Held {
  send(sql: string): Promise<unknown>;
  release(): void;
  /** Ends it: its transaction is rolled back, and what it has not sent is never sent. */
  discard(): void;
}

const sendBy =
  (connection: MysqlConnectionLike): Held["send"] =>
  async (sql) =>
    (await connection.query({ sql, ...PLAIN }))[0];

async function fromPool(pool: MysqlPoolLike): Promise<Held> {
  const connection = await pool.getConnection();
  return {
    send: sendBy(connection),
    release: () => connection.release(),
    discard: () => connection.destroy(),
  };
}

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
function fromCallbackPool(pool: CallbackPool): Promise<Held> {
  return new Promise((resolve, reject) => {
    pool.getConnection((failed, connection) => {
      if (failed) {
        reject(failed);
        return;
      }
      resolve({
        send: (sql) =>
          new Promise((answer, fail) => {
            const done: Done = (error, result) => (error ? fail(error) : answer(result));
            if (isPlain(connection)) connection.query(sql, PLAIN.values, done);
            else connection.query({ sql, ...PLAIN }, done);
          }),
        release: () => connection.release(),
        discard: () => connection.destroy(),
      });
    });
  });
}

/** The end of the last piece of work on each connection, whichever drivers share it. */
const turns = new WeakMap<object, Promise<void>>();

/**
 * One connection does one thing after the other. To wait here, and not in the client's queue, keeps one's statements out
 * of another's transaction, and lets a call whose time is over leave without being sent.
 */
async function inTurn(client: object, connection: MysqlConnectionLike): Promise<Held> {
  const before = turns.get(client);
  let release = (): void => {};
  turns.set(
    client,
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  await before;
  // It is not the driver's to end.
  return { send: sendBy(connection), release, discard() {} };
}

/** The four kinds of clients as one; what is done on a connection is a call, and ends in time. */
export function connectionsOf(client: MysqlClientLike, call: Call): Use {
  const promised = "promise" in client ? client.promise() : client;
  const pool = "pool" in promised ? promised.pool : undefined;
  const open = () => {
    if (!("getConnection" in promised)) return inTurn(client, promised);
    return isCallbackPool(pool) ? fromCallbackPool(pool) : fromPool(promised);
  };
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

    async function lease() {
      const connection = await open();
      const { release, discard } = connection;
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
      } finally {
        release();
      }
    }

    return call(lease, timeout, onLate);
  };
}
