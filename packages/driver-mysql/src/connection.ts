import { Buffer } from "node:buffer";
import type { Call } from "@sessions/core/driver-tools";
import { inTransaction, isHarmless, isInTransaction, tooLarge, withoutRow } from "./errors.ts";
import type { MysqlExecutor, MysqlLease } from "./executor.ts";

/** The result of a statement. */
export interface Answer {
  /** Every value as text. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly affectedRows: number;
  /** The value that the statement gave to `LAST_INSERT_ID(expr)`, or 0. */
  readonly insertId: number;
  /** Whether a transaction is open now, or may be. */
  readonly inTransaction: boolean;
  /** Whether the server has said that one is open. */
  readonly isInTransaction: boolean;
}

/** Sends one statement, unless the call has timed out. */
export type Run = (sql: string) => Promise<Answer>;

/** One connection, for one piece of work. */
export interface Connection {
  readonly run: Run;
  /** Runs `body` in a transaction, which is rolled back if `body` rejects. */
  transaction<T>(body: () => Promise<T>): Promise<T>;
}

/** Does some work on a connection that nothing else uses at the same time. */
type Use = <T>(work: (connection: Connection) => Promise<T>, timeout: number, changes: boolean) => Promise<T>;

/** Statements up to this many bytes are sent without asking for `max_allowed_packet`: every known server takes them. */
const SMALL = 65_536;

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
    : String(value);
}

async function query(lease: MysqlLease, sql: string): Promise<Answer> {
  try {
    const { rows, affectedRows, insertId, inTransaction: isOpen } = await lease.send(sql);
    return {
      rows: rows.map((row) => Object.values(row).map(textOf)),
      affectedRows: Number(affectedRows ?? 0),
      insertId: Number(insertId ?? 0),
      // Without both, it may be open.
      inTransaction: isOpen ?? lease.connection === undefined,
      isInTransaction: isOpen === true,
    };
  } catch (error) {
    throw withoutRow(error);
  }
}

/** The connections that were seen to have autocommit on. */
const committing = new WeakSet<object>();

/**
 * For a client that does not show whether a transaction is open, as the application may have left one on the connection.
 *
 * @throws SessionConfigError if one is open, or autocommit is off.
 */
async function checkUntold(lease: MysqlLease): Promise<void> {
  const { connection } = lease;
  if (connection === undefined) return;
  try {
    // The server refuses it in a transaction. Outside of one, it says of the next statement what is so by default.
    await query(lease, "SET TRANSACTION READ WRITE");
  } catch (error) {
    throw isInTransaction(error) ? inTransaction() : error;
  }
  if (committing.has(connection)) return;
  if ((await query(lease, "SELECT @@autocommit")).rows[0]?.[0] !== "1") throw inTransaction();
  committing.add(connection);
}

/** Lends connections of the client. All work on a connection is one call, with the call's timeout. */
export function createConnection(executor: MysqlExecutor, call: Call): Use {
  /** The server's `max_allowed_packet`, read before the first long statement; 0 until then. */
  let longest = 0;

  async function checkLength(lease: MysqlLease, sql: string): Promise<void> {
    if (sql.length < longest) return;
    // The server closes the connection after a packet that is too long, so refuse the statement here.
    const { rows } = await query(lease, "SELECT @@max_allowed_packet - 1024");
    longest = Number(rows[0]?.[0]);
    if (sql.length >= longest) throw tooLarge();
  }

  return (work, timeout, changes) => {
    let isLate = false;
    let held: MysqlLease | undefined;
    const onLate = (): void => {
      isLate = true;
      // Otherwise a late answer could reach the next call, or a transaction could stay open.
      held?.discard();
    };
    const stopIfLate = (): void => {
      if (isLate) throw new Error("The call has timed out");
    };

    async function use(lease: MysqlLease) {
      // If the call ended while it waited for the connection, nothing was sent on it: it goes back as it came.
      stopIfLate();
      held = lease;
      const run: Run = async (sql) => {
        stopIfLate();
        if (sql.length > SMALL) {
          await checkLength(lease, sql);
          stopIfLate();
        }
        return query(lease, sql);
      };
      try {
        await checkUntold(lease);
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
              await query(lease, "ROLLBACK").catch(() => lease.discard());
              throw error;
            }
          },
        });
      } catch (error) {
        if (!isHarmless(error)) {
          lease.discard();
          // A new connection may reach a server with another limit.
          longest = 0;
        }
        throw error;
      }
    }

    return call(() => executor.lease(use), timeout, { changes, onLate });
  };
}
