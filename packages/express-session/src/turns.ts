/** Of each store the requests that are under way, by id. */
const waiting = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * A place in the line of those who ask, in this process, for the same id of the same store: `mine` resolves once all
 * before have released it.
 */
export function takeTurn(store: object, id: string): { mine: Promise<unknown>; release(): void } {
  const turns = waiting.get(store) ?? new Map<string, Promise<unknown>>();
  waiting.set(store, turns);
  const before = turns.get(id);
  let release = (): void => undefined;
  const turn = new Promise<void>((resolve) => {
    release = resolve;
  });
  turns.set(id, turn);
  return {
    mine: Promise.resolve(before),
    release() {
      if (turns.get(id) === turn) turns.delete(id);
      release();
    },
  };
}
