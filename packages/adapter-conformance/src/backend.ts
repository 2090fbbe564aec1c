import { DriverUnavailableError, type ListingDriver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";

/** A memory driver that counts its calls, and can be slow, blocked or down. */
export interface Backend {
  readonly driver: ListingDriver;
  /** The names of the methods that were called, in order. */
  readonly calls: string[];
  /** The methods that fail. They are counted in `calls` too. */
  readonly down: Set<string>;
  /** Runs before each `create` and `commit`. */
  beforeWrite: () => Promise<unknown>;
  /** Runs after each `create` and `commit` that succeeded. */
  afterWrite: () => unknown;
}

/** Makes a backend that works, and has counted no calls. */
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
