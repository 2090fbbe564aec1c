/** Of each store the requests that are under way, by id. */
const waiting = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * Waits until whoever asked before, in this process, for the same id of the same store has released it; answers what
 * releases it for the next.
 */
export async function takeTurn(store: object, id: string): Promise<() => void> {
  const turns = waiting.get(store) ?? new Map<string, Promise<unknown>>();
  waiting.set(store, turns);
  const before = turns.get(id);
  let release = (): void => undefined;
  const turn = new Promise<void>((resolve) => {
    release = resolve;
  });
  turns.set(id, turn);
  await before;
  return () => {
    if (turns.get(id) === turn) turns.delete(id);
    release();
  };
}
