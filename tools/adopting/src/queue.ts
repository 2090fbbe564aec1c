import { setTimeout as sleep } from "node:timers/promises";
import { serialize } from "@sessions/core/driver-tools";

/**
 * The most that a request can keep others waiting for the same old session, in milliseconds. It is long because `map` may
 * query a database.
 */
export const PATIENCE_MS = 10_000;

/**
 * Queues a request of this process behind the others that want the same id of the same store. It can stay at the head
 * of the queue for {@link PATIENCE_MS}.
 *
 * @returns `first` resolves when the request reaches the head; `release` lets the next one in.
 */
export function enqueue(store: object, id: string): { first: Promise<void>; release(): void } {
  const leaving = new AbortController();
  const first = new Promise<void>((resolve) => {
    void serialize(
      store,
      async () => {
        resolve();
        const { signal } = leaving;
        await sleep(PATIENCE_MS, undefined, { ref: false, signal }).catch(() => {});
      },
      id,
    );
  });
  return { first, release: () => leaving.abort() };
}
