import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export { begin, HOUR, newId } from "@sessions/driver-tests/records";

/** A folder for one test, removed at its end. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sessions-file-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
