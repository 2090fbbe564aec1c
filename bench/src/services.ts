import type { Missing, Service, ServiceName } from "@sessions/test-services/service";
import { acquire, release } from "@sessions/test-services/services";

const held = new Map<ServiceName, Promise<Service | Missing>>();

/** A server for the whole run: started when a question first needs it, and shared by those that follow. */
export function findService(name: ServiceName): Promise<Service | Missing> {
  let found = held.get(name);
  if (!found) {
    found = acquire(name);
    held.set(name, found);
  }
  return found;
}

/** What the run has used, as a reader would name it: `"Redis 7.0.15"`. */
export async function usedVersions(): Promise<string[]> {
  const found = await Promise.all(held.values());
  return found.flatMap((one) =>
    "missing" in one ? [] : [one.version + (one.emulator ? " (emulator)" : "")],
  );
}

/** Stops what was started. */
export async function releaseServices(): Promise<void> {
  for (const name of held.keys()) await release(name);
  held.clear();
}
