import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { lstat, open, readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { missing, notFolder, unless } from "./errors.ts";
import { OWN } from "./layout.ts";

/** A name that nothing else ever has. */
export const uniqueName = (): string => randomBytes(16).toString("hex");

/** Flags with which open() follows no link, and does not wait for the other end of a pipe. Both are 0 on Windows. */
const PLAIN = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ: number = constants.O_RDONLY | PLAIN;
/** Opens an existing file to write. */
export const CHANGE: number = constants.O_RDWR | PLAIN;
/** Opens a file to write, and makes it where it is missing. */
export const MAKE: number = constants.O_WRONLY | constants.O_CREAT | PLAIN;

/** Reads a file; `undefined` where it is missing, or a link or a folder is in its place. */
export const readPlain = (file: string): Promise<Buffer | undefined> =>
  unless(["ENOENT", "ELOOP", "EISDIR"], readFile(file, { flag: READ }));

/** The kind of a path itself, not of a link's target; `undefined` where it is missing. */
export async function kindOf(path: string): Promise<"folder" | "file" | "other" | undefined> {
  const stats = await unless("ENOENT", lstat(path));
  if (!stats) return undefined;
  if (stats.isDirectory()) return "folder";
  return stats.isFile() ? "file" : "other";
}

/** The entries of a folder; the caller has just seen that the path is no link. */
export const entriesBehind = (folder: string): Promise<Dirent[] | undefined> =>
  unless(["ENOENT", "ENOTDIR"], readdir(folder, { withFileTypes: true }));

/** The entries of a folder; `undefined` where it is missing, or a link or a file is in its place. */
export async function entriesIn(folder: string): Promise<Dirent[] | undefined> {
  return (await unless(["ENOENT", "ENOTDIR"], kindOf(folder))) === "folder"
    ? entriesBehind(folder)
    : undefined;
}

/**
 * The names in a folder that the driver made: they have its form, and belong to the right kind. A link is neither kind.
 */
export async function ownIn(
  folder: string,
  kind: "folders" | "files",
  own: RegExp,
): Promise<string[] | undefined> {
  const is = (entry: Dirent): boolean => (kind === "folders" ? entry.isDirectory() : entry.isFile());
  return (await entriesIn(folder))
    ?.filter((entry) => own.test(entry.name) && is(entry))
    .map(({ name }) => name);
}

/** Removes a file, if it is there. */
export const remove = (file: string): Promise<void> => unless("ENOENT", unlink(file));

/** Removes a folder if it exists and is empty: the system does both in one step. */
export const removeIfEmpty = (folder: string): Promise<void> =>
  unless(["ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR"], rmdir(folder));

/** Writes the names in a folder to the disk; does nothing where the folder is gone. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders, and need not.
  if (process.platform === "win32") return;
  const handle = await unless("ENOENT", open(folder, "r"));
  if (!handle) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Tells a missing record from a missing disk: the folders that `setup()` makes always exist afterwards.
 *
 * @throws SessionSetupError where one of the folders is missing, or a link or a file is in its place.
 */
export async function demandFolders(...folders: readonly string[]): Promise<void> {
  const kinds = await Promise.allSettled(folders.map(kindOf));
  for (const [i, folder] of folders.entries()) {
    const kind = kinds[i];
    if (kind?.status === "rejected") throw kind.reason;
    if (kind?.value === undefined) throw missing(folder);
    // Before the folders below it, which fail with another error.
    if (kind.value !== "folder") throw notFolder(folder);
  }
}

/**
 * The names that the driver made in a folder of `setup()`; none where a link or a file is in the folder's place.
 *
 * @throws SessionSetupError where the folder is missing.
 */
export async function demandOwn(folder: string, kind: "folders" | "files", own: RegExp): Promise<string[]> {
  const names = await ownIn(folder, kind, own);
  if (names) return names;
  if ((await kindOf(folder)) === undefined) throw missing(folder);
  return [];
}

/** The ids in one shard, ascending. @throws SessionSetupError where the shard or the folder of records is missing. */
export async function idsIn(records: string, shard: string): Promise<string[]> {
  await demandFolders(records);
  return (await demandOwn(join(records, shard), "folders", OWN.record(shard))).sort();
}

/** Works on a few items at a time, so that file handles and the threads of the file system are not used up. */
export async function inGroups<T, R>(
  items: readonly T[],
  size: number,
  body: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += size)
    results.push(...(await Promise.all(items.slice(i, i + size).map(body))));
  return results;
}
