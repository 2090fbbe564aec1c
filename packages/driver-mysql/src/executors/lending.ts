import { serialize } from "@sessions/core/driver-tools";
import type { MysqlExecutor, MysqlLease, MysqlResult } from "../executor.ts";

type Send = MysqlLease["send"];

/** Does the work on a connection of a pool, and gives it back. */
export async function lend<T>(
  connection: { release(): unknown; destroy(): unknown },
  send: Send,
  work: (lease: MysqlLease) => Promise<T>,
): Promise<T> {
  let isDiscarded = false;
  const discard = (): void => {
    if (!isDiscarded) connection.destroy();
    isDiscarded = true;
  };
  try {
    return await work({ send, discard });
  } finally {
    if (!isDiscarded) connection.release();
  }
}

/**
 * Lends one connection of the application. Calls wait here, not in the client's queue. So no statement of one call gets
 * into the transaction of another, and a call that has timed out leaves the queue unsent. The connection belongs to the
 * application, so the driver never ends it.
 */
export const lendOnly = (client: object, send: Send): MysqlExecutor => ({
  lease: (work) => serialize(client, () => work({ send, discard() {} })),
});

/** A function with a callback as a promise. */
export const promised = <T>(call: (done: (error: unknown, value: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });

const IN_TRANSACTION = 1;

/** Whether the flags in a server's answer say that a transaction is open. */
export const isOpen = (status: unknown): boolean => (Number(status) & IN_TRANSACTION) !== 0;

/** What `mysql2` and `mysql` return for a statement: a list of rows, or the server's packet for one without rows. */
export function resultOf(answer: unknown): MysqlResult {
  if (Array.isArray(answer)) return { rows: answer };
  const { affectedRows, insertId, serverStatus }: Record<string, unknown> = Object(answer);
  return {
    rows: [],
    affectedRows: Number(affectedRows),
    insertId: Number(insertId),
    inTransaction: isOpen(serverStatus),
  };
}
