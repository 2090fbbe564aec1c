import { DriverUnavailableError, type ListingDriver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";

/** A driver over memory that counts its calls, and can be slow, held up or down. */
export interface Backend {
  readonly driver: ListingDriver;
  readonly calls: string[];
  /** Names the methods that fail, in `calls` too. */
  readonly down: Set<string>;
  /** Runs before each write is made. */
  beforeWrite: () => Promise<unknown>;
  /** Runs after each write that was made. */
  afterWrite: () => unknown;
}

export function createBackend(): Backend {
  const inner = memoryDriver();
  const backend: Backend = {
    calls: [],
    down: new Set(),
    beforeWrite: async () => undefined,
    afterWrite: () => undefined,
    driver: {
      name: "counting",
      create: (id, record, now) => call("create", () => inner.create(id, record, now)),
      load: (id) => call("load", () => inner.load(id)),
      commit: (id, change, now) => call("commit", () => inner.commit(id, change, now)),
      destroy: (id, now) => call("destroy", () => inner.destroy(id, now)),
      sweep: (range) => call("sweep", () => inner.sweep(range)),
      list: (query, now) => call("list", () => inner.list(query, now)),
    },
  };
  async function call<T>(method: string, run: () => Promise<T>): Promise<T> {
    backend.calls.push(method);
    if (backend.down.has(method)) throw new DriverUnavailableError(`${method} is down`);
    const writes = method === "create" || method === "commit";
    if (writes) await backend.beforeWrite();
    const result = await run();
    if (writes) backend.afterWrite();
    return result;
  }
  return backend;
}
