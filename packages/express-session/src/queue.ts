import { setTimeout as sleep } from "node:timers/promises";
import { serialize } from "@sessions/core/driver-tools";

/**
 * Queues a request of this process behind the others that want the same id of the same store.
 *
 * @param patience How long the request can stay at the head of the queue, in milliseconds.
 * @returns `first` resolves when the request reaches the head; `release` lets the next one in.
 */
export function enqueue(
  store: object,
  id: string,
  patience: number,
): { first: Promise<void>; release(): void } {
  const leaving = new AbortController();
  const first = new Promise<void>((resolve) => {
    void serialize(
      store,
      async () => {
        resolve();
        const { signal } = leaving;
        await sleep(patience, undefined, { ref: false, signal }).catch(() => {});
      },
      id,
    );
  });
  return { first, release: () => leaving.abort() };
}
