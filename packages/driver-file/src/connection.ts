import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SessionSetupError } from "@sessions/core";
import { kindOf, missing, RUN_SETUP, readPlain, unless } from "./files.ts";
import { LAYOUT_VERSION, type Layout } from "./layout.ts";

/*
 * Sessions are only as safe as the folder that they lie in: a user of the machine who owns it, or may write to it, can put
 * a record there that logs in as anybody.
 */

/** What is in the folder, but for what the root of a disk has by itself. */
export const namesIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => name !== "lost+found");

/** What the layout file says: a version, or `""` where it is empty; `undefined` where there is no such file of ours. */
export async function readVersion({ version }: Layout): Promise<string | undefined> {
  // What is no file is not read: a pipe would keep the reader waiting.
  if ((await unless("ENOENT", kindOf(version))) !== "file") return undefined;
  const text = (await readPlain(version))?.toString().trim();
  return text === undefined || /^\d{0,9}$/.test(text) ? text : undefined;
}

/** Whether the files are laid out as another version of this package has them. */
export const isOther = (written: string | undefined): boolean => !!written && written !== LAYOUT_VERSION;

export const otherVersion = ({ version }: Layout, written: string | undefined): string =>
  `${version} says that the files are laid out as version "${written}", and this package knows version ${LAYOUT_VERSION}: use the package that wrote them, or another folder`;

export const unmarked = ({ directory, version }: Layout): string =>
  `${directory} is not empty, and has no layout file of this driver, so it may be somebody else's: name an empty or a new folder, such as ${join(directory, "sessions")}; or, where it is the driver's and only lost that file, write the line ${LAYOUT_VERSION} to ${version}`;

/** Whether an owner is neither this process's user nor root. */
export const isOthers = (uid: number | undefined): boolean =>
  process.geteuid !== undefined && uid !== undefined && uid !== process.geteuid() && uid !== 0;

/** Why sessions must not be kept in this folder, and the way out; `undefined` where they may. It must be there. */
export async function distrust({ directory }: Layout): Promise<string | undefined> {
  const [own, target] = await Promise.all([lstat(directory), unless("ENOENT", stat(directory))]);
  if (!target?.isDirectory()) return `${directory} is not a folder: name another, or move that file away`;
  // Windows has no such owners and permissions.
  if (!process.geteuid) return undefined;
  for (const { uid } of [own, target])
    if (isOthers(uid))
      return `${directory} belongs to another user (${uid}), who could put sessions there: name a folder of your own, or run as that user`;
  // With the sticky bit as well, since others can still add names.
  if (target.mode & 0o002)
    return `Everybody may write to ${directory}, and so put sessions there: run chmod 700 on it, or name a new folder within it, such as ${join(directory, "sessions")}`;
  return undefined;
}

/** Makes what is asked before every call, and looks until the folder was found right, which is once. */
export function createTrust(layout: Layout): () => Promise<void> {
  const { directory } = layout;
  let trusted: Promise<void> | undefined;

  async function look(): Promise<void> {
    if (!(await unless("ENOENT", stat(directory)))) throw missing(directory);
    const fault = await distrust(layout);
    if (fault !== undefined) throw new SessionSetupError(`file: ${fault}`);
    const written = await readVersion(layout);
    if (isOther(written)) throw new SessionSetupError(`file: ${otherVersion(layout, written)}`);
    if (!written) throw new SessionSetupError(`file: ${directory} has no layout file: ${RUN_SETUP}`);
  }

  return () => {
    trusted ??= look().catch((error: unknown) => {
      trusted = undefined;
      throw error;
    });
    return trusted;
  };
}
