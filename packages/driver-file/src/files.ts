import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { lstat, open, readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SessionSetupError } from "@sessions/core";
import { OWN } from "./layout.ts";

/** A name that nothing else has, now or later. */
export const uniqueName = (): string => randomBytes(16).toString("hex");

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.some((code) => code === error.code);

/** What the system says where this process's user may not do what it asks for. */
export const NOT_ALLOWED: readonly string[] = ["EACCES", "EPERM", "EROFS"];

/** `undefined` where it fails with one of these codes. */
export async function unless<T>(codes: string | readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, ...[codes].flat())) return undefined;
    throw error;
  }
}

/** Opens no link, and does not wait for the other end of a pipe. Windows lacks both flags, and both are 0 there. */
const PLAIN = constants.O_NOFOLLOW | constants.O_NONBLOCK;
const READ: number = constants.O_RDONLY | PLAIN;
export const CHANGE: number = constants.O_RDWR | PLAIN;
export const MAKE: number = constants.O_WRONLY | constants.O_CREAT | PLAIN;

/** What a file holds; `undefined` where there is none, or a link or a folder in its place. */
export const readPlain = (file: string): Promise<Buffer | undefined> =>
  unless(["ENOENT", "ELOOP", "EISDIR"], readFile(file, { flag: READ }));

/** What stands at a path itself, a link included; `undefined` where nothing does. */
export async function kindOf(path: string): Promise<"folder" | "file" | "other" | undefined> {
  const stats = await unless("ENOENT", lstat(path));
  if (!stats) return undefined;
  if (stats.isDirectory()) return "folder";
  return stats.isFile() ? "file" : "other";
}

/** What a folder holds, for a path that was found to be no link just now. */
export const entriesBehind = (folder: string): Promise<Dirent[] | undefined> =>
  unless(["ENOENT", "ENOTDIR"], readdir(folder, { withFileTypes: true }));

/** What a folder holds; `undefined` where there is none, or a link or a file in its place. */
export async function entriesIn(folder: string): Promise<Dirent[] | undefined> {
  return (await unless(["ENOENT", "ENOTDIR"], kindOf(folder))) === "folder"
    ? entriesBehind(folder)
    : undefined;
}

/** The names in a folder that the driver makes: of its own form, and of what it makes by it. A link is neither. */
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

export const remove = (file: string): Promise<void> => unless("ENOENT", unlink(file));

/** Removes a folder if it is there and empty: the system looks and removes in one step. */
export const removeIfEmpty = (folder: string): Promise<void> =>
  unless(["ENOENT", "ENOTEMPTY", "EEXIST", "ENOTDIR"], rmdir(folder));

/** Has the names in a folder on the disk; nothing to do where it is gone. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and has no need to.
  if (process.platform === "win32") return;
  const handle = await unless("ENOENT", open(folder, "r"));
  if (!handle) return;
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The method to call, with a manager and without one. */
export const RUN_SETUP = "run sessions.setup(), or driver.setup() where there is no manager";

export const missing = (folder: string): SessionSetupError =>
  new SessionSetupError(`file: ${folder} is missing: ${RUN_SETUP}; or mount what belongs there`);

export const notFolder = (path: string): SessionSetupError =>
  new SessionSetupError(`file: ${path} is no folder, but a link or a file: move it away, and ${RUN_SETUP}`);

/**
 * Tells a record that is not there from a disk that is not there: what `setup()` makes exists from then on.
 * @throws SessionSetupError where one of the folders is missing, or a link or a file is in its place
 */
export async function demandFolders(...folders: readonly string[]): Promise<void> {
  const kinds = await Promise.allSettled(folders.map(kindOf));
  for (const [i, folder] of folders.entries()) {
    const kind = kinds[i];
    if (kind?.status === "rejected") throw kind.reason;
    if (kind?.value === undefined) throw missing(folder);
    // Before what is below it, which cannot be looked at.
    if (kind.value !== "folder") throw notFolder(folder);
  }
}

/**
 * What the driver made in a folder that `setup()` made; nothing where a link or a file is in its place.
 * @throws SessionSetupError where it is missing
 */
export async function demandOwn(folder: string, kind: "folders" | "files", own: RegExp): Promise<string[]> {
  const names = await ownIn(folder, kind, own);
  if (names) return names;
  if ((await kindOf(folder)) === undefined) throw missing(folder);
  return [];
}

/** The ids in one shard, ascending. @throws SessionSetupError where it, or the folder of records, is missing */
export async function idsIn(records: string, shard: string): Promise<string[]> {
  await demandFolders(records);
  return (await demandOwn(join(records, shard), "folders", OWN.record(shard))).sort();
}

/** Some at a time, so that neither file handles nor the threads that serve them are used up. */
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
