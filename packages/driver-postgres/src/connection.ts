import { createHash } from "node:crypto";
import { DriverUnavailableError, isSessionError } from "@sessions/core";
import { type Call, retry, serialize } from "@sessions/core/driver-tools";
import { isContention, isNotPrepared, isUsableAfter, withoutRow } from "./errors.ts";

// The little that the driver uses of the package `pg`.

/** A statement with its parameters, as `pg` takes it. */
export interface PgQuery {
  readonly text: string;
  readonly values: unknown[];
  readonly name?: string;
}

/** What `pg` answers. */
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
  /** `true` ends the connection, where its state is not known. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** A `Pool`. */
export interface PgPoolLike {
  readonly totalCount: number;
  connect(): Promise<PgPoolClientLike>;
}

/** Sends one statement: a call, which ends within so many milliseconds. */
export type Send = (text: string, values: unknown[], timeout: number) => Promise<PgResult>;

/** How often a statement is tried that lost to other transactions, where no time limits it; the longest pause between. */
const ATTEMPTS = 30;
const PAUSE_MS = 20;

/** A pool and a single connection as one. Statements that others were in the way of, and wrote nothing, go again. */
export function createConnection(client: PgClientLike | PgPoolLike, call: Call): Send {
  // Until a connection turns out to share server processes with others.
  let prepares = true;

  return (text, values, timeout) => {
    let isLate = false;
    /** Ends the connection: the client's own `query_timeout` would do no more, and costs a seventh of what a statement does. */
    let discard = ignore;

    async function sendOn(one: PgClientLike): Promise<PgResult> {
      async function attempt(): Promise<PgResult> {
        if (isLate) throw new DriverUnavailableError("postgres: no time was left to send the statement");
        const named = prepares;
        try {
          // A name stands for its text: another version of this program may share the server process.
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
      // While it is lent, the pool does not listen: a connection that breaks would end the process.
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
    if ("totalCount" in client) return call(() => sendOnOneOf(client), timeout, onLate);
    // What waits here, and not in the client's queue, can leave without being sent.
    return call(() => serialize(client, () => sendOn(client)), timeout, onLate).catch((error: unknown) => {
      // Of a server that answered, the error has a cause.
      const isLateness = isSessionError(error, "ERR_SESSION_UNAVAILABLE") && error.cause === undefined;
      throw isLateness && !isConnected(client) ? notConnected(error) : error;
    });
  };
}

const ignore = (): void => {};

/** Until it is connected, `pg` keeps what it is asked, and answers nothing. Then the server has told it a process. */
const isConnected = (client: PgClientLike): boolean => Object(client).processID !== null;

const notConnected = (cause: unknown): DriverUnavailableError =>
  new DriverUnavailableError(
    "postgres: the client is not connected: await client.connect() before the first call, or give the driver a Pool",
    { cause },
  );

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `sessions_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
  names.set(text, name);
  return name;
}
