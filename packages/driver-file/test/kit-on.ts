import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { testDriver } from "@sessions/conformance";
import { afterAll, describe, test } from "vitest";
import { fileDriver } from "../src/index.ts";

/** The whole kit on several drivers of one folder, which is made below the given one. */
export async function testOn(parent: string): Promise<void> {
  const folder = await mkdtemp(join(parent, "sessions-file-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const [disk, blocked, mounted] = [join(folder, "disk"), join(folder, "blocked"), join(folder, "mounted")];

  /** The drivers' path leads to the disk, or while that is away to a file; the system switches in one step. */
  async function lead(to: string): Promise<void> {
    await symlink(to, join(folder, "next"));
    await rename(join(folder, "next"), mounted);
  }
  await mkdir(disk);
  await writeFile(blocked, "");
  await lead(disk);

  describe("file: several drivers on one folder", () => {
    testDriver({
      test,
      target: {
        name: "file",
        open: (namespace) => fileDriver({ directory: join(mounted, namespace) }),
        outage: { cut: () => lead(blocked), restore: () => lead(disk) },
      },
    });
  });
}
