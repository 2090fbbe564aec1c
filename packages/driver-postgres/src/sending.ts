import { DriverUnavailableError } from "@sessions/core";
import { type Call, retry } from "@sessions/core/driver-tools";
import { isContention, withoutRow } from "./errors.ts";
import type { PostgresExecutor, PostgresResult, PostgresTimeLimit } from "./executor.ts";

/** Sends one statement as a call with a timeout in milliseconds. `changes` as in `CallDetails`. */
export type Send = (
  text: string,
  values: readonly (string | null)[],
  timeout: number,
  changes: boolean,
) => Promise<PostgresResult>;

/** The most tries of a statement without a timeout that other transactions are in the way of. */
const ATTEMPTS = 30;
const PAUSE_MS = 20;

/** A statement that other transactions were in the way of wrote nothing and is sent again. */
export function createSend(executor: PostgresExecutor, call: Call): Send {
  return async (text, values, timeout, changes) => {
    let isOver = false;
    let reason: Error | undefined;
    let giveUp: () => Error | undefined = () => undefined;
    const limit: PostgresTimeLimit = {
      throwIfOver() {
        if (isOver)
          throw new DriverUnavailableError(
            "postgres: the call timed out before its statement was sent. Nothing was changed.",
          );
      },
      onOver(listener) {
        giveUp = listener;
      },
    };
    async function attempt(): Promise<PostgresResult> {
      limit.throwIfOver();
      try {
        return await executor.run(text, values, limit);
      } catch (error) {
        throw withoutRow(error);
      }
    }
    const attempts = timeout === Number.POSITIVE_INFINITY ? ATTEMPTS : undefined;
    const onLate = (): void => {
      isOver = true;
      reason = giveUp();
    };
    try {
      return await call(() => retry(attempt, { isContention, attempts, longestPause: PAUSE_MS }), timeout, {
        changes,
        onLate,
      });
    } catch (error) {
      throw reason ?? error;
    }
  };
}
