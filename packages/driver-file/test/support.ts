import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder } from "@sessions/test-services/data-folder";
import { onTestFinished } from "vitest";

export { begin, HOUR, newId } from "@sessions/driver-tests/records";

/** A folder for one test, removed at its end. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(dataFolder(), "sessions-file-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
