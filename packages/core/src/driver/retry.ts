import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** When {@link retry} tries again. */
export interface RetryRules {
  /** Whether the error says that other work was in the way, and that nothing was written. */
  isContention(error: unknown): boolean;
  /** No try begins after this time of `performance.now()`. @default Infinity */
  readonly deadline?: number | undefined;
  /** The most tries, with the first one. @default Infinity */
  readonly attempts?: number | undefined;
  /**
   * The longest pause between two tries, in milliseconds. The first pause is about 1 ms, and each is at most twice the one
   * before.
   * @default 25
   */
  readonly longestPause?: number | undefined;
}

/**
 * Does the work again while other work is in its way: a deadlock, a failed serialization, a lock. Pauses grow, and have a
 * random length, so that the same tries do not meet again.
 *
 * @param work The whole work of one try; `attempt` is 1 the first time.
 * @returns The result of the work. Rejects with its last error if that is no contention, or no try is left.
 * @example
 * declare const client: { query(sql: string): Promise<void> };
 * await retry(() => client.query("UPDATE …"), {
 *   isContention: (error) => error instanceof Error && "code" in error && error.code === "40001",
 *   deadline: performance.now() + 2_000,
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
      // Look after the pause, which is longer in a busy process.
      if (performance.now() >= deadline) throw error;
    }
  }
}
