import process from "node:process";
import { createSessionManager, type Driver, type Session, type SessionManager } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import type { Keeping } from "../sites.ts";
import type { Visit } from "./routes.ts";

// Sites that run at the same time share a server, but no table.
const name = `bench_${process.pid}`;

// A long timeout, because the peers have none and the machine is busy.
const timeout = "30s";

/** Imports only the needed client, because the others take a second to load. */
export async function openDriver(keeping: Keeping, url: string): Promise<Driver> {
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

/** The shared part of the sites with this library: a manager with its defaults, on the given backend. */
export async function openManager(keeping: Keeping, url: string): Promise<SessionManager> {
  const sessions = createSessionManager({ driver: await openDriver(keeping, url) });
  await sessions.setup();
  return sessions;
}

/** Removes the stored data, and closes. */
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
