import process from "node:process";
import { createSessionManager, type Driver, type Session, type SessionManager } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import type { Keeping } from "../sites.ts";
import type { Visit } from "./routes.ts";

// Sites beside each other share a server, and no table.
const name = `bench_${process.pid}`;

// A busy machine is no outage; the peers have no such limit.
const timeout = "30s";

/** Imports what it needs and no more: the other clients take a second to begin. */
async function openDriver(keeping: Keeping, url: string): Promise<Driver> {
  switch (keeping) {
    case "redis":
      return (await import("@sessions/driver-redis")).fromUrl(url, { prefix: `${name}:`, timeout });
    case "mysql":
      return (await import("@sessions/driver-mysql")).fromUrl(url, { table: name, timeout });
    case "postgres":
      return (await import("@sessions/driver-postgres")).fromUrl(url, { table: name, timeout });
    case "mongodb":
      return (await import("@sessions/driver-mongodb")).fromUrl(url, { collection: name, timeout });
    case "dynamodb":
      return (await import("@sessions/driver-dynamodb")).fromUrl(url, { table: name, timeout });
    default:
      return memoryDriver();
  }
}

/** What the sites with this library share: a manager with the defaults, on the backend that is asked for. */
export async function openManager(keeping: Keeping, url: string): Promise<SessionManager> {
  const sessions = createSessionManager({ driver: await openDriver(keeping, url) });
  await sessions.setup();
  return sessions;
}

/** Removes what was stored, and closes. */
export async function closeManager(sessions: SessionManager): Promise<void> {
  await sessions.teardown();
  await sessions.close();
}

/** A request's session. */
export function visitOf(session: Session): Visit {
  const store = session.store("site");
  return {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    increment: (key) => store.update(key, (n) => (typeof n === "number" ? n : 0) + 1),
    entries: () => Object.fromEntries(store.entries()),
    login(user) {
      session.login(user);
      store.set("user", user);
    },
    logout: () => session.logout(),
  };
}
