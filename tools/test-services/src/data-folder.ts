import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";

const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 2 * 1024 ** 3;

/**
 * The folder in which servers and drivers under test keep their data. For `pnpm test` it is in memory, where the system
 * has room there: half of what a file costs is the wait for the disk. `pnpm test:rest` and tests by hand use the disk.
 */
export function dataFolder(): string {
  const level = process.env["SESSIONS_TEST_LEVEL"];
  return (level === "usual" || level === "quick") && hasRoomInMemory() ? MEMORY : tmpdir();
}

function hasRoomInMemory(): boolean {
  try {
    // A server may unpack a library there and run it.
    const options = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readFileSync("/proc/mounts", "utf8"))?.[1];
    if (options === undefined || options.split(",").includes("noexec")) return false;
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ENOUGH_BYTES;
  } catch {
    // No Linux.
    return false;
  }
}
