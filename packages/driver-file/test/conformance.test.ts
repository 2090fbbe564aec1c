import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testDriver } from "@sessions/conformance";
import { afterAll, describe, test } from "vitest";
import { fileDriver } from "../src/index.ts";

const folder = await mkdtemp(join(tmpdir(), "sessions-file-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

const [disk, blocked, mounted] = ["disk", "blocked", "mounted"].map((name) => join(folder, name));

/** The drivers' path leads to the disk, or while that is away to a file; the system switches in one step. */
async function lead(to: string): Promise<void> {
  await symlink(to, join(folder, "next"));
  await rename(join(folder, "next"), String(mounted));
}
await mkdir(String(disk));
await writeFile(String(blocked), "");
await lead(String(disk));

describe("file: several drivers on one folder", () => {
  testDriver({
    test,
    target: {
      name: "file",
      open: (namespace) => fileDriver({ directory: join(String(mounted), namespace) }),
      outage: { cut: () => lead(String(blocked)), restore: () => lead(String(disk)) },
    },
  });
});
