import { setTimeout as sleep } from "node:timers/promises";
import { serialize } from "@sessions/core/driver-tools";

/**
 * A place in the queue of those that ask, in this process, for the same id of the same store.
 *
 * @param patience How long a place is held at most, in milliseconds, once it has come.
 * @returns `first` resolves once all that were before have released their places.
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
