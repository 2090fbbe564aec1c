import { type Target, testDriver } from "@sessions/conformance";
import { describe, test } from "vitest";
import { fromExpressSessionStore, type StoreLike } from "../src/index.ts";

/** Namespaces in one store: where a store has no prefix of its own. It is another object than `store`, as another process has. */
export const prefixed = (store: StoreLike, namespace: string): StoreLike => ({
  get: (sid, done) => store.get(`${namespace}:${sid}`, done),
  set: (sid, session, done) => store.set(`${namespace}:${sid}`, session, done),
  destroy: (sid, done) => store.destroy(`${namespace}:${sid}`, done),
});

/** One store for each namespace, as one process has it. */
export function oneStoreEach(make: (namespace: string) => StoreLike): (namespace: string) => StoreLike {
  const stores = new Map<string, StoreLike>();
  return (namespace) => {
    const store = stores.get(namespace) ?? make(namespace);
    stores.set(namespace, store);
    return store;
  };
}

/** Why a store breaks R9.8 where its backend has a limit. */
export const NO_SIZES = "a store says of a session that is too large what it says of any other failure";

/** The kit on a store, as one process has it. `timeout` is long where the client notices an outage by itself. */
export function testStore(
  name: string,
  timeout: number,
  make: (namespace: string) => StoreLike,
  target: Omit<Target, "name" | "open"> = {},
): void {
  describe(`${name}, in one process`, () => {
    const storeOf = oneStoreEach(make);
    const open = (namespace: string) => fromExpressSessionStore(storeOf(namespace), { timeout });
    testDriver({ test, target: { name, open, ...target } });
  });
}
