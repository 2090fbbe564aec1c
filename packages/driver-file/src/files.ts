import { randomBytes } from "node:crypto";
import { open, readdir, rmdir, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { SessionSetupError } from "@sessions/core";

/** A name that nobody else has, now or later. */
export const uniqueName = (): string => randomBytes(16).toString("hex");

export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.some((code) => code === error.code);

/** `undefined` where it fails with one of these codes. */
export async function unless<T>(codes: string | readonly string[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, ...[codes].flat())) return undefined;
    throw error;
  }
}

/** The names in a folder; `undefined` where there is no folder. */
export const namesIn = (folder: string): Promise<string[] | undefined> => unless("ENOENT", readdir(folder));

export const remove = (file: string): Promise<void> => unless("ENOENT", unlink(file));

/** Removes a folder if it is there and empty: the system looks and removes in one step. */
export const removeIfEmpty = (folder: string): Promise<void> =>
  unless(["ENOENT", "ENOTEMPTY", "EEXIST"], rmdir(folder));

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

export const missing = (folder: string): SessionSetupError =>
  new SessionSetupError(`file: ${folder} is missing: run setup(), or mount what belongs there`);

/**
 * Tells a record that is not there from a disk that is not there: the shard of every record exists from `setup()` on.
 * @throws SessionSetupError
 */
export async function demandParent(path: string): Promise<void> {
  if (!(await unless("ENOENT", stat(dirname(path))))) throw missing(dirname(path));
}

/** The names in a folder that `setup()` made. @throws SessionSetupError where it is missing. */
export async function demandNames(folder: string): Promise<string[]> {
  const names = await namesIn(folder);
  if (names) return names;
  throw missing(folder);
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
