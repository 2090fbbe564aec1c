import { serialize } from "@sessions/core/driver-tools";
import { inTransaction } from "../errors.ts";
import type { MysqlExecutor, MysqlLease, MysqlResult } from "../executor.ts";

/** One connection. */
export interface Line {
  readonly send: MysqlLease["send"];
  /** Ends the connection, and resolves when that is done. It does not reject. */
  destroy(): Promise<void>;
}

/**
 * Does the work on a connection of a pool or of an ORM, and gives it back.
 *
 * @param giveBack Called once: with `false` if the connection can be lent again, else with `true` after its end.
 */
export async function lend<T>(
  { send, destroy }: Line,
  giveBack: (isEnded: boolean) => unknown,
  work: (lease: MysqlLease) => Promise<T>,
): Promise<T> {
  let isDiscarded = false;
  const discard = (): void => {
    if (!isDiscarded) void destroy().then(() => giveBack(true));
    isDiscarded = true;
  };
  try {
    return await work({ send, discard });
  } finally {
    if (!isDiscarded) giveBack(false);
  }
}

/** Gives a connection back to its pool, which takes note by itself of one that was ended. */
export const toPool =
  (connection: { release(): unknown }) =>
  (isEnded: boolean): void => {
    if (!isEnded) connection.release();
  };

/** Makes the executor of a client that is one connection. */
export type LendOne = (connection: object, line: Line) => MysqlExecutor;

/**
 * Lends one connection of the application. Calls wait here, not in the client's queue. So no statement of one call gets
 * into the transaction of another, and a call that has timed out leaves the queue unsent. The connection belongs to the
 * application, so the driver never ends it.
 *
 * Before each call it asks the server for its flags, because the driver's statements would become part of an open
 * transaction, or commit it. What a client keeps of the last answer would not do: mariadb sets the flag after an error.
 *
 * @param connection The client's own object, the same one for each object that uses the connection.
 */
export const lendOnly: LendOne = (connection, { send }) => ({
  lease: (work) =>
    serialize(connection, () => {
      let isFree = false;
      let isOver = false;
      return work({
        async send(sql) {
          if (!isFree) {
            if ((await send("DO 0")).inTransaction) throw inTransaction();
            if (isOver) throw new Error("The call has timed out");
            isFree = true;
          }
          return send(sql);
        },
        discard() {
          isOver = true;
        },
      });
    }),
});

/** A function with a callback as a promise. */
export const promised = <T>(call: (done: (error: unknown, value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });

const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/** Whether the flags in a server's answer say that a transaction is open, or that the next statement begins one. */
export const isOpen = (status: unknown): boolean =>
  (Number(status) & (IN_TRANSACTION | AUTOCOMMIT)) !== AUTOCOMMIT;

/**
 * What `mysql2` and `mysql` return for a statement: a list of rows, or the server's packet for one without rows.
 *
 * @param flags The server's flags behind the rows, if they are known.
 */
export function resultOf(answer: unknown, flags?: unknown): MysqlResult {
  if (Array.isArray(answer))
    return { rows: answer, ...(flags !== undefined && { inTransaction: isOpen(flags) }) };
  const { affectedRows, insertId, serverStatus }: Record<string, unknown> = Object(answer);
  return {
    rows: [],
    affectedRows: Number(affectedRows),
    insertId: Number(insertId),
    inTransaction: isOpen(serverStatus),
  };
}
