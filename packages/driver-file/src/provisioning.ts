import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import {
  hasCode,
  inGroups,
  namesIn,
  remove,
  removeIfEmpty,
  syncFolder,
  uniqueName,
  unless,
} from "./files.ts";
import { LAYOUT_VERSION, type Layout, OWN_NAMES, SHARDS } from "./layout.ts";

const NOT_ALLOWED = ["EACCES", "EPERM", "EROFS"];

/** Removes what bears the driver's names, level by level, and the folders that are empty then. */
async function removeOwn(folder: string, [own, ...deeper]: readonly RegExp[]): Promise<void> {
  const names = ((await namesIn(folder)) ?? []).filter((name) => own?.test(name));
  await inGroups(names, 8, (name) =>
    deeper.length > 0 ? removeOwn(join(folder, name), deeper) : remove(join(folder, name)),
  );
  await removeIfEmpty(folder);
}

export function createProvisioning(
  layout: Layout,
  call: Call,
): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { directory, version, drafts, records, principals } = layout;
  const shards = [records, principals].flatMap((parent) => SHARDS.map((shard) => join(parent, shard)));
  const readVersion = async () => (await unless("ENOENT", readFile(version, "utf8")))?.trim();
  const otherVersion = (written: string) =>
    `${version} says that the files are laid out as version "${written}", and this package knows version ${LAYOUT_VERSION}: use the package that wrote them, or another folder`;

  /** The driver's own steps, where nobody else looks. */
  async function tryToWrite(): Promise<void> {
    const [draft, moved] = [join(drafts, uniqueName()), join(drafts, uniqueName())];
    try {
      await mkdir(draft, { mode: 0o700 });
      await writeFile(join(draft, "1"), "", { flag: "wx", mode: 0o600 });
      await link(join(draft, "1"), join(draft, "2"));
      await syncFolder(draft);
      await rename(draft, moved);
    } catch (error) {
      // A sweep took it for what a killed process left.
      if (!hasCode(error, "ENOENT")) throw error;
    } finally {
      for (const folder of [draft, moved]) await rm(folder, { recursive: true, force: true });
    }
  }

  /** An empty folder is no record and no principal, so nobody is misled meanwhile. */
  async function tryToMake(parent: string): Promise<boolean> {
    const own = join(parent, parent.startsWith(principals) ? uniqueName() + uniqueName() : uniqueName());
    try {
      await mkdir(own, { mode: 0o700 });
      await removeIfEmpty(own);
    } catch (error) {
      if (hasCode(error, ...NOT_ALLOWED)) return false;
      // Found and named before.
      if (!hasCode(error, "ENOENT")) throw error;
    }
    return true;
  }

  async function findFaults(): Promise<string[]> {
    const top = await unless("ENOENT", stat(directory));
    if (!top) return [`The folder ${directory} is missing: run setup(), or mount what belongs there`];
    if (!top.isDirectory()) return [`${directory} is not a folder: name another, or move that file away`];
    const found: string[] = [];

    const written = await readVersion();
    if (!written) found.push(`The file ${version} is missing or empty: run setup()`);
    else if (written !== LAYOUT_VERSION) found.push(otherVersion(written));

    const all = [drafts, records, principals, ...shards];
    const stats = await Promise.all(all.map((folder) => unless("ENOENT", stat(folder))));
    const missing = all.filter((_, i) => !stats[i]);
    if (missing.length > 0)
      found.push(`Folders are missing, ${missing.length} in number, like ${missing[0]}: run setup()`);

    // Whoever cannot pass through the upper ones reaches nothing below.
    const open = all.slice(0, 3).filter((_, i) => (stats[i]?.mode ?? 0) & 0o077);
    if (process.platform !== "win32" && open.length > 0)
      found.push(`Others than the owner may enter ${open.join(", ")}: run chmod 700 on it`);

    const allowed = await inGroups(all, 16, tryToMake);
    const forbidden = all.filter((_, i) => !allowed[i]);
    if (forbidden.length > 0)
      found.push(
        `This process has no permission to write in ${forbidden.length} of the folders, like ${forbidden[0]}: let its user own ${directory} and all that is in it`,
      );
    else if (stats[0]) await tryToWrite();
    return found;
  }

  return {
    async setup() {
      await call(async () => {
        await mkdir(directory, { recursive: true, mode: 0o700 });
        const written = await readVersion();
        if (written && written !== LAYOUT_VERSION)
          throw new SessionSetupError(`file: ${otherVersion(written)}`);
        const make = (folder: string) => unless("EEXIST", mkdir(folder, { mode: 0o700 }));
        await inGroups([drafts, records, principals], 3, make);
        await inGroups(shards, 16, make);
        // At last: it says that all of it is there.
        if (!written) await writeFile(version, `${LAYOUT_VERSION}\n`, { mode: 0o600, flush: true });
        for (const folder of [records, principals, directory]) await syncFolder(folder);
      }, Number.POSITIVE_INFINITY);
    },

    async check() {
      return call(async () => {
        try {
          return await findFaults();
        } catch (error) {
          if (hasCode(error, ...NOT_ALLOWED))
            return [
              `This process has no permission to read and write in ${directory}: let its user own it and all that is in it`,
            ];
          if (hasCode(error, "ENOTSUP", "EOPNOTSUPP", "ENOSYS"))
            return [`The file system of ${directory} has no hard links: use another one`];
          throw error;
        }
      });
    },

    async teardown() {
      await call(async () => {
        await remove(version);
        await removeOwn(records, OWN_NAMES.records);
        await removeOwn(principals, OWN_NAMES.principals);
        await removeOwn(drafts, OWN_NAMES.drafts);
        await removeIfEmpty(directory);
      }, Number.POSITIVE_INFINITY);
    },
  };
}
