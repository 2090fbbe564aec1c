import { createHash } from "node:crypto";
import { DriverUnavailableError, isSessionError } from "@sessions/core";
import { type Call, retry, serialize } from "@sessions/core/driver-tools";
import { isContention, isNotPrepared, isUsableAfter, withoutRow } from "./errors.ts";

// The types below are the part of `pg` that the driver uses.

/** A statement with its parameters, in the form that `pg` takes. */
export interface PgQuery {
  readonly text: string;
  readonly values: unknown[];
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

/** Sends one statement as a call with a timeout in milliseconds. `changes` as in `CallDetails`. */
export type Send = (text: string, values: unknown[], timeout: number, changes: boolean) => Promise<PgResult>;

/** The most tries of a statement without a timeout that other transactions are in the way of. */
const ATTEMPTS = 30;
const PAUSE_MS = 20;

/**
 * One interface over a pool and a single connection. A statement that other transactions were in the way of wrote nothing
 * and is sent again.
 */
export function createConnection(client: PgClientLike | PgPoolLike, call: Call): Send {
  // False once a prepared statement was lost: then a proxy such as PgBouncer shares server processes between clients.
  let prepares = true;

  return (text, values, timeout, changes) => {
    let isLate = false;
    /** Ends the connection. The client's own `query_timeout` does the same, but makes every statement a seventh slower. */
    let discard = ignore;

    async function sendOn(one: PgClientLike): Promise<PgResult> {
      async function attempt(): Promise<PgResult> {
        if (isLate)
          throw new DriverUnavailableError(
            "postgres: the call timed out before its statement was sent. Nothing was changed.",
          );
        const named = prepares;
        try {
          // The name follows from the text, because another version of this program may share the server process.
          return await one.query({ text, values, ...(named && { name: nameOf(text) }) });
        } catch (error) {
          if (!named || !isNotPrepared(error)) throw withoutRow(error);
          prepares = false;
          return attempt();
        }
      }
      const attempts = timeout === Number.POSITIVE_INFINITY ? ATTEMPTS : undefined;
      return retry(attempt, { isContention, attempts, longestPause: PAUSE_MS });
    }

    async function sendOnOneOf(pool: PgPoolLike): Promise<PgResult> {
      const one = await pool.connect();
      // A pool does not listen to a connection that it has lent: without this listener, a broken one ends the process.
      one.on("error", ignore);
      let isLent = true;
      const giveBack = (destroy: boolean): void => {
        if (!isLent) return;
        isLent = false;
        one.off("error", ignore);
        one.release(destroy);
      };
      discard = () => giveBack(true);
      try {
        const result = await sendOn(one);
        giveBack(false);
        return result;
      } catch (error) {
        giveBack(!isUsableAfter(error));
        throw error;
      }
    }

    const onLate = (): void => {
      isLate = true;
      discard();
    };
    if ("totalCount" in client) return call(() => sendOnOneOf(client), timeout, { changes, onLate });
    // Wait here, not in the client's queue: so a call that has timed out leaves without being sent.
    return call(() => serialize(client, () => sendOn(client)), timeout, { changes, onLate }).catch(
      (error: unknown) => {
        // An error that the server sent has a cause; a timeout has none.
        const isLateness = isSessionError(error, "ERR_SESSION_UNAVAILABLE") && error.cause === undefined;
        throw isLateness && !isConnected(client) ? notConnected(error) : error;
      },
    );
  };
}

const ignore = (): void => {};

/** Whether the server has told the client its process id. Before that, `pg` queues statements and never returns. */
const isConnected = (client: PgClientLike): boolean => Object(client).processID !== null;

const notConnected = (cause: unknown): DriverUnavailableError =>
  new DriverUnavailableError(
    "postgres: the client is not connected. Await client.connect() before the first call, or give the driver a Pool.",
    { cause },
  );

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `sessions_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
  names.set(text, name);
  return name;
}
