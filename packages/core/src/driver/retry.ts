import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** When `retry` tries once more. */
export interface RetryRules {
  /** Whether the error says that others were in the way, and that nothing was written. */
  isContention(error: unknown): boolean;
  /** By `performance.now()`: from then on nothing is begun. @default never */
  readonly deadline?: number | undefined;
  /** The most tries, the first one included. @default without end */
  readonly attempts?: number | undefined;
  /** The longest pause between two tries, in milliseconds. The first is about one, and each may be twice as long. @default 25 */
  readonly longestPause?: number | undefined;
}

/**
 * Does the work again while others are in its way: a deadlock, a lost serialization, a lock. Pauses grow, and are of
 * random length, so that those who were in each other's way do not meet again.
 *
 * @param work What to do; `attempt` is 1 the first time. Each try is the whole work anew.
 * @returns What the work returns. Rejects with its last error once that is none of contention, or no try is left.
 * @example
 * await retry(() => client.query(update), {
 *   isContention: (error) => error instanceof Error && "code" in error && error.code === "40001",
 *   deadline: performance.now() + timeout,
 * });
 */
export async function retry<T>(
  work: (attempt: number) => T | Promise<T>,
  { isContention, deadline = Infinity, attempts = Infinity, longestPause = 25 }: RetryRules,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attempts || !isContention(error)) throw error;
      await sleep(Math.min(2 ** (attempt - 1), longestPause) * (0.5 + Math.random() / 2));
      // However long the pause was: the process may have been busy with something else.
      if (performance.now() >= deadline) throw error;
    }
  }
}
