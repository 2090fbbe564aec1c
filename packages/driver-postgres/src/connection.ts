import { createHash } from "node:crypto";
import { DriverUnavailableError } from "@sessions/core";
import type { PgClientLike, PgPoolLike, PgResult } from "./client.ts";
import { isContention, isNotPrepared, isUsableAfter } from "./errors.ts";

/** Sends one statement, within so many milliseconds. */
export type Send = (text: string, values: unknown[], timeout: number) => Promise<PgResult>;

/** How often a statement is tried that lost to other transactions, where no time limits it; the longest pause between. */
const ATTEMPTS = 30;
const PAUSE_MS = 20;
/** What a timer can wait for. */
const MOST_MS = 2 ** 31 - 1;

const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, PAUSE_MS)));

/** A pool and a single connection as one. Statements that others were in the way of, and wrote nothing, go again. */
export function senderOf(client: PgClientLike | PgPoolLike): Send {
  // Until a connection turns out to share server processes with others.
  let prepares = true;

  async function sendOn(one: PgClientLike, text: string, values: unknown[], end: number): Promise<PgResult> {
    for (let attempt = 1; ; attempt++) {
      const left = Math.ceil(end - performance.now());
      if (left <= 0) throw new DriverUnavailableError("postgres: no time was left to send the statement");
      const named = prepares;
      try {
        return await one.query({
          ...{ text, values },
          ...(left <= MOST_MS && { query_timeout: left }),
          // A name stands for its text: another version of this program may share the server process.
          ...(named && { name: nameOf(text) }),
        });
      } catch (error) {
        if (named && isNotPrepared(error)) prepares = false;
        else if (!isContention(error) || (attempt >= ATTEMPTS && end === Number.POSITIVE_INFINITY))
          throw error;
        else await pause(attempt);
      }
    }
  }

  return async (text, values, timeout) => {
    const end = performance.now() + timeout;
    if (!("totalCount" in client)) return inTurn(client, () => sendOn(client, text, values, end));
    const one = await client.connect();
    // While it is lent, the pool does not listen: a connection that breaks would end the process.
    one.on("error", ignore);
    const giveBack = (destroy: boolean): void => {
      one.off("error", ignore);
      one.release(destroy);
    };
    return sendOn(one, text, values, end).then(
      (result) => {
        giveBack(false);
        return result;
      },
      (error: unknown) => {
        giveBack(!isUsableAfter(error));
        throw error;
      },
    );
  };
}

const ignore = (): void => {};

/** The end of the last statement on each single connection, whichever drivers share it. */
const turns = new WeakMap<PgClientLike, Promise<unknown>>();

/** One connection does one thing after the other; what waits here can leave without being sent. */
function inTurn<T>(client: PgClientLike, send: () => Promise<T>): Promise<T> {
  const turn = (turns.get(client) ?? Promise.resolve()).then(send);
  turns.set(client, turn.catch(ignore));
  return turn;
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const name = names.get(text) ?? `sessions_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
  names.set(text, name);
  return name;
}
