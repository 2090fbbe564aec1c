import { setTimeout as sleep } from "node:timers/promises";

/** Options of {@link retry}. */
export interface RetryRules {
  /** Returns whether the error says that other work was in the way and nothing was written. */
  isContention(error: unknown): boolean;
  /** A time of `performance.now()`. No try begins after it. @default never */
  readonly deadline?: number | undefined;
  /** The most tries, including the first. @default no limit */
  readonly attempts?: number | undefined;
  /**
   * The longest pause between two tries, in milliseconds. The first pause is about 1 ms, and each may be twice as long
   * as the one before.
   * @default 25
   */
  readonly longestPause?: number | undefined;
}

/**
 * Repeats work while other work is in its way, such as a deadlock, a serialization failure or a lock. The pauses grow
 * and have a random length, so that the same two tries do not collide again.
 *
 * @param work Each try does the whole work again. `attempt` is 1 for the first try.
 * @returns What the work returns. Rejects with the last error if that is not contention, or if no try is left.
 * @example
 * import { performance } from "node:perf_hooks";
 * import { retry } from "@sessions/core/driver-tools";
 *
 * declare const client: { query(text: string): Promise<unknown> };
 *
 * await retry(() => client.query("UPDATE …"), {
 *   isContention: (error) => error instanceof Error && "code" in error && error.code === "40001",
 *   deadline: performance.now() + 2000,
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
      // Check after the pause, because a busy process may have slept longer than asked.
      if (performance.now() >= deadline) throw error;
    }
  }
}
