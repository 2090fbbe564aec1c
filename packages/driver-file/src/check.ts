import { randomInt } from "node:crypto";
import type { Stats } from "node:fs";
import { link, lstat, mkdir, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSessionError } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import { distrust, isOther, isOthers, namesIn, otherVersion, readVersion, unmarked } from "./connection.ts";
import { hasCode, NOT_ALLOWED, unless } from "./errors.ts";
import { idsIn, inGroups, remove, removeIfEmpty, syncFolder, uniqueName } from "./files.ts";
import type { Folders } from "./folders.ts";
import { type Layout, SHARDS } from "./layout.ts";

/** The number of records that are read in search of damaged ones, from a random shard on. */
const LOOKED_AT = 1000;
const GROUP = 8;

/** One sentence for each thing that is wrong with the folders. It tries them out, and removes what it made for that. */
export function createCheck(layout: Layout, folders: Folders, call: Call): () => Promise<string[]> {
  const { directory, drafts, records, principals } = layout;
  const above = [drafts, records, principals];
  const shards = [records, principals].flatMap((parent) => SHARDS.map((shard) => join(parent, shard)));

  /** Tries the driver's own steps, in the folder of drafts. */
  async function tryToWrite(): Promise<void> {
    const [draft, moved] = [join(drafts, uniqueName()), join(drafts, uniqueName())];
    try {
      await mkdir(draft, { mode: 0o700 });
      await writeFile(join(draft, "1"), "", { flag: "wx", mode: 0o600 });
      await link(join(draft, "1"), join(draft, "2"));
      await syncFolder(draft);
      await rename(draft, moved);
    } catch (error) {
      // A sweep may take the draft for one that a killed process left.
      if (!hasCode(error, "ENOENT")) throw error;
    } finally {
      for (const folder of [draft, moved]) {
        for (const name of ["1", "2"]) await remove(join(folder, name));
        await removeIfEmpty(folder);
      }
    }
  }

  /** Tries to make an empty folder, which is no record and no principal. */
  async function tryToMake(parent: string): Promise<boolean> {
    const shard = parent === drafts ? "" : parent.slice(-2);
    const own = `${shard}${uniqueName().slice(shard.length)}`;
    const folder = join(parent, parent.startsWith(principals) ? own + uniqueName() : own);
    try {
      await mkdir(folder, { mode: 0o700 });
      await removeIfEmpty(folder);
    } catch (error) {
      if (hasCode(error, ...NOT_ALLOWED)) return false;
      if (!hasCode(error, "ENOENT")) throw error;
    }
    return true;
  }

  /** The faults, and the shards of records that can be read. */
  async function findFaults(): Promise<{ found: string[]; usable: readonly string[] }> {
    const alone = (fault: string) => ({ found: [fault], usable: [] });
    const top = await unless("ENOENT", stat(directory));
    if (!top) return alone(`The folder ${directory} is missing: run setup(), or mount what belongs there`);
    const fault = await distrust(layout);
    if (fault !== undefined) return alone(fault);
    const written = await readVersion(layout);
    if (isOther(written)) return alone(otherVersion(layout, written));
    if (!written)
      return alone(
        (await namesIn(directory)).length > 0
          ? unmarked(layout)
          : `The folder ${directory} is empty: run setup(), or mount what belongs there`,
      );

    const found: string[] = [];
    const stats = new Map<string, Stats | undefined>();
    const isFolder = (path: string): boolean => stats.get(path)?.isDirectory() === true;
    const lookAt = (folders: readonly string[]) =>
      inGroups(folders, 16, async (folder) => stats.set(folder, await unless("ENOENT", lstat(folder))));
    await lookAt(above);
    // Only below real folders: a link is not followed.
    await lookAt(shards.filter((shard) => isFolder(dirname(shard))));

    const all = [...above, ...shards];
    const missing = all.filter(
      (folder) => !stats.get(folder) && !(stats.get(dirname(folder)) && !isFolder(dirname(folder))),
    );
    if (missing.length > 0)
      found.push(`Folders are missing, ${missing.length} in number, like ${missing[0]}: run setup()`);
    const strays = all.filter((folder) => stats.get(folder) && !isFolder(folder));
    if (strays.length > 0)
      found.push(`${strays.join(", ")}: a link or a file, not a folder. Move it away, and run setup()`);

    if (process.platform !== "win32") {
      if (top.mode & 0o020) found.push(`A group may write to ${directory}: run chmod g-w on it`);
      // The upper folders are enough: without passing them, nothing below can be reached.
      const open = above.filter((folder) => isFolder(folder) && (stats.get(folder)?.mode ?? 0) & 0o077);
      if (open.length > 0)
        found.push(`Others than the owner may enter ${open.join(", ")}: run chmod 700 on it`);
      const others = above.filter((folder) => isFolder(folder) && isOthers(stats.get(folder)?.uid));
      if (others.length > 0)
        found.push(
          `${others.join(", ")} belongs to another user: let the user of this process own it and all that is in it`,
        );
    }

    const present = [drafts, ...shards].filter(isFolder);
    const allowed = await inGroups(present, 16, tryToMake);
    const forbidden = present.filter((_, i) => !allowed[i]);
    if (forbidden.length > 0)
      found.push(
        `This process has no permission to write in ${forbidden.length} of the folders, like ${forbidden[0]}: let its user own ${directory} and all that is in it`,
      );
    else if (isFolder(drafts)) await tryToWrite();
    const usable = SHARDS.filter((shard) => {
      const folder = join(records, shard);
      return present.includes(folder) && !forbidden.includes(folder);
    });
    return { found, usable };
  }

  /** Looks for damaged records, in calls of a few files each, so that a slow disk does not exceed the timeout. */
  async function findDamage(shards: readonly string[]): Promise<string[]> {
    const damaged: string[] = [];
    let looked = 0;
    const first = randomInt(SHARDS.length);
    for (const shard of [...shards.slice(first), ...shards.slice(0, first)]) {
      const ids = (await call(() => idsIn(records, shard))).slice(0, LOOKED_AT - looked);
      looked += ids.length;
      while (ids.length > 0) {
        const group = ids.splice(0, GROUP);
        const files = await call(() => Promise.all(group.map(folders.damaged)));
        damaged.push(...files.filter((file) => file !== undefined));
      }
      if (looked === LOOKED_AT) break;
    }
    if (damaged.length === 0) return [];
    return [
      `${damaged.length} of the ${looked} sessions that were read are damaged, like ${damaged[0]}: their visitors get new sessions, and sweep() removes the damaged ones a day after their last change`,
    ];
  }

  /** The fault of the folders that an error shows; `undefined` for any other error. */
  function faultOf(error: unknown): string | undefined {
    const cause = isSessionError(error, "ERR_SESSION_UNAVAILABLE") ? error.cause : error;
    if (hasCode(cause, ...NOT_ALLOWED))
      return `This process has no permission to read and write in ${directory}: let its user own it and all that is in it`;
    if (hasCode(cause, "ENOTSUP", "EOPNOTSUPP", "ENOSYS"))
      return `The file system of ${directory} has no hard links: use another one`;
    return undefined;
  }

  return async () => {
    try {
      const { found, usable } = await call(findFaults);
      return [...found, ...(await findDamage(usable))];
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      return [fault];
    }
  };
}
