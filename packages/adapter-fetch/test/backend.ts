import {
  createSessionManager,
  type Driver,
  DriverUnavailableError,
  type SessionManager,
} from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";

/** A manager over memory whose calls are counted, and fail while their method is down. */
export function createBackend(): { sessions: SessionManager; calls: string[]; down: Set<string> } {
  const inner = memoryDriver();
  const calls: string[] = [];
  const down = new Set<string>();
  async function call<T>(method: string, run: () => Promise<T>): Promise<T> {
    calls.push(method);
    if (down.has(method)) throw new DriverUnavailableError(`${method} is down`);
    return run();
  }
  const driver: Driver = {
    name: "counting",
    create: (id, record, now) => call("create", () => inner.create(id, record, now)),
    load: (id) => call("load", () => inner.load(id)),
    commit: (id, change, now) => call("commit", () => inner.commit(id, change, now)),
    destroy: (id, now) => call("destroy", () => inner.destroy(id, now)),
    sweep: (range) => call("sweep", () => inner.sweep(range)),
  };
  return { sessions: createSessionManager({ driver }), calls, down };
}

/** A cookie of a session that holds `{ app: { n: 1 } }`. */
export async function visitor(sessions: SessionManager): Promise<string> {
  const session = await sessions.open(undefined);
  session.store("app").set("n", 1);
  return (await session.commit()).setCookie?.split(";")[0] ?? "";
}
