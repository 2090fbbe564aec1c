import process from "node:process";
import { startDynamodb } from "./dynamodb.ts";
import { startEtcd } from "./etcd.ts";
import { onCI } from "./machine.ts";
import { startMemcached } from "./memcached.ts";
import { startMongodb } from "./mongodb.ts";
import { startMysql } from "./mysql.ts";
import { fetchNewest, newest } from "./newest.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import {
  addressVariable,
  type Missing,
  type Service,
  type ServiceName,
  type Started,
  versionVariable,
} from "./service.ts";

/** Each takes the address from the environment, if there is one, and returns the server that it finds. */
const starters: Record<ServiceName, (address: string | undefined) => Promise<Started | Missing>> = {
  redis: startRedis,
  mysql: startMysql,
  postgres: startPostgres,
  mongodb: startMongodb,
  dynamodb: startDynamodb,
  memcached: startMemcached,
  etcd: startEtcd,
};

export const serviceNames = Object.keys(starters) as ServiceName[];

interface Held {
  readonly started: Promise<Started | Missing>;
  users: number;
}

// One map for the process, because every vitest project loads this file again.
const registry: Map<ServiceName, Held> = (() => {
  const key = Symbol.for("@sessions/test-services/registry");
  const shared = globalThis as { [key]?: Map<ServiceName, Held> };
  shared[key] ??= new Map();
  return shared[key];
})();

async function start(name: ServiceName): Promise<Started | Missing> {
  if (newest) fetchNewest();
  const found = await starters[name](process.env[addressVariable(name)] || undefined);
  const variable = versionVariable(name);
  const wanted = process.env[variable];
  if (!wanted || "missing" in found || `${found.version}.`.startsWith(`${wanted}.`)) return found;
  await found.stop();
  throw new Error(
    `${variable} asks for ${wanted}, but ${found.version} was found (${found.obtained}). Install that version or name a server.`,
  );
}

/** Starts a server, or returns the running one. On CI a missing server is an error. */
export async function acquire(name: ServiceName): Promise<Service | Missing> {
  let held = registry.get(name);
  if (!held) {
    held = { started: start(name), users: 0 };
    registry.set(name, held);
  }
  held.users++;
  const found = await held.started;
  if (!("missing" in found)) {
    const { url, version, obtained, emulator } = found;
    return { url, version, obtained, emulator };
  }
  if (onCI) throw new Error(`The tests of ${name} must run on CI, but ${found.missing}`);
  console.warn(`\n  THE TESTS OF ${name.toUpperCase()} ARE SKIPPED: ${found.missing}\n`);
  return found;
}

/** The last user stops the server. */
export async function release(name: ServiceName): Promise<void> {
  const held = registry.get(name);
  if (!held || --held.users > 0) return;
  // Keep its description for the table at the end of the run.
  const found = await held.started;
  if (!("missing" in found)) await found.stop();
}

/** The servers that were found in this process, for a report. */
export async function found(): Promise<Map<ServiceName, Service | Missing>> {
  return new Map(
    await Promise.all([...registry].map(async ([name, { started }]) => [name, await started] as const)),
  );
}
