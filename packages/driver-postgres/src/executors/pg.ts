import { createHash } from "node:crypto";
import { DriverUnavailableError } from "@sessions/core";
import { serialize } from "@sessions/core/driver-tools";
import {
  isNotPrepared,
  isUsableAfter,
  openTransaction,
  ranInTransaction,
  transactionInTheWay,
} from "../errors.ts";
import type { PostgresExecutor, PostgresResult, PostgresTimeLimit } from "../executor.ts";
import { withdrawable } from "./withdrawable.ts";

// The few members of `pg` that the driver uses.

/** A statement with its parameters, in the form that `pg` takes. */
export interface PgQuery {
  readonly text: string;
  readonly values: unknown[];
  readonly types: { getTypeParser(): (text: string) => string };
  readonly name?: string;
}

/** A result of `pg`. */
export interface PgResult {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

/** A connected `Client`. */
export interface PgClientLike {
  query(query: PgQuery): Promise<PgResult>;
  /** What the server said after the last statement: `"T"` or `"E"` in a transaction. Since version 8.21. */
  getTransactionStatus?(): unknown;
}

/** A connection that a `Pool` lends. */
export interface PgPoolClientLike extends PgClientLike {
  /** Returns the connection to the pool; `true` ends it instead, if its state is unknown. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** A `Pool`. */
export interface PgPoolLike {
  readonly totalCount: number;
  connect(): Promise<PgPoolClientLike>;
}

/** Runs statements on a `Pool` of the package `pg`, or one of Neon's or Vercel's, which are made of it. */
export function pgPool(pool: PgPoolLike): PostgresExecutor {
  const query = preparing();
  return {
    async run(text, values, limit) {
      const one = await pool.connect();
      const status = statusOf(one);
      let isLent = true;
      const giveBack = (destroy: boolean): void => {
        if (!isLent) return;
        isLent = false;
        one.off("error", ignore);
        one.release(destroy);
      };
      // A pool does not listen to a connection that it has lent: without this listener, a broken one ends the process.
      one.on("error", ignore);
      // The client's own `query_timeout` does the same, but makes every statement a seventh slower.
      limit.onOver(() => void giveBack(true));
      try {
        const result = await query(one, text, [...values], limit);
        // The application has released the connection in a transaction, which this ends. Only now, because before the
        // statement a COMMIT may still have been on its way.
        const isLost = isInTransaction(status());
        giveBack(isLost);
        if (isLost) throw ranInTransaction();
        return result;
      } catch (error) {
        giveBack(!isUsableAfter(error) || isInTransaction(status()));
        throw error;
      }
    },
  };
}

/** Runs statements on a connected `Client` of the package `pg`, one after the other. */
export function pgClient(client: PgClientLike): PostgresExecutor {
  const query = preparing();
  const status = statusOf(client);
  return {
    async run(text, values, limit) {
      let isWaiting = true;
      // The client's queue may hold statements of the application, and then keeps the driver's until they have ended.
      const given = withdrawable(values, limit, () => {
        if (!isConnected(client)) return notConnected();
        return isWaiting && isInTransaction(status()) ? transactionInTheWay() : undefined;
      });
      // Wait here, not in the client's queue: so a call that has timed out leaves without being sent.
      return serialize(client, async () => {
        // Ask each time: the application may begin a transaction at any time.
        if (isInTransaction(status())) throw openTransaction();
        isWaiting = false;
        const result = await query(client, text, given, limit);
        // The application's BEGIN may have been in the client's queue.
        if (isInTransaction(status())) throw ranInTransaction();
        return result;
      });
    },
  };
}

/** What the server said of each connection last, for clients that do not tell. */
const statuses = new WeakMap<object, unknown>();

/** Returns a function that tells the state of a connection: `"I"` outside of transactions, `undefined` if unknown. */
export function statusOf(client: PgClientLike): () => unknown {
  if (typeof client.getTransactionStatus === "function")
    return () => {
      try {
        return client.getTransactionStatus?.();
      } catch {
        // pg over an older pg-native has the method, and cannot tell.
        return undefined;
      }
    };
  // Before version 8.21 the client reads the state, and keeps it from its callers.
  const { connection } = Object(client);
  if (typeof connection?.on !== "function") return () => undefined;
  if (!statuses.has(connection)) {
    statuses.set(connection, undefined);
    connection.on("readyForQuery", (message: unknown) => statuses.set(connection, Object(message).status));
  }
  return () => statuses.get(connection);
}

const isInTransaction = (status: unknown): boolean => status === "T" || status === "E";

/** Columns are texts, and stay what they are, whatever parser the application has for texts. */
const AS_IT_IS = { getTypeParser: () => String };

/** Sends statements prepared, until a connection loses one. */
function preparing() {
  // False once a prepared statement was lost: then a proxy such as PgBouncer shares server processes between clients.
  let prepares = true;
  const query = async (
    client: PgClientLike,
    text: string,
    values: (string | null)[],
    limit: PostgresTimeLimit,
  ): Promise<PostgresResult> => {
    limit.throwIfOver();
    const named = prepares;
    try {
      // The name follows from the text, because another version of this program may share the server process.
      return await client.query({ text, values, types: AS_IT_IS, ...(named && { name: nameOf(text) }) });
    } catch (error) {
      if (!named || !isNotPrepared(error)) throw error;
      prepares = false;
      return query(client, text, values, limit);
    }
  };
  return query;
}

const ignore = (): void => {};

/** Whether the server has told the client its process id. Before that, `pg` queues statements and never returns. */
const isConnected = (client: PgClientLike): boolean => Object(client).processID !== null;

const notConnected = (): DriverUnavailableError =>
  new DriverUnavailableError(
    "postgres: the client is not connected. Await client.connect() before the first call, or give the driver a Pool.",
  );

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `sessions_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
  names.set(text, name);
  return name;
}
