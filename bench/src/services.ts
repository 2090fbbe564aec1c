import type { Missing, Service, ServiceName } from "@sessions/test-services/service";
import { acquire, release } from "@sessions/test-services/services";

const held = new Map<ServiceName, Promise<Service | Missing>>();

/** Returns a server for the whole run. It starts when a question first needs it, and later questions share it. */
export function findService(name: ServiceName): Promise<Service | Missing> {
  let found = held.get(name);
  if (!found) {
    found = acquire(name);
    held.set(name, found);
  }
  return found;
}

/** The servers that the run has used: `"Redis 7.0.15"`. */
export async function usedVersions(): Promise<string[]> {
  const found = await Promise.all(held.values());
  return found.flatMap((one) =>
    "missing" in one ? [] : [one.version + (one.emulator ? " (emulator)" : "")],
  );
}

/** Stops the servers that the run has started. */
export async function releaseServices(): Promise<void> {
  for (const name of held.keys()) await release(name);
  held.clear();
}
