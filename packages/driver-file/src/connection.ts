import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SessionSetupError } from "@sessions/core";
import { type Call, createCall } from "@sessions/core/driver-tools";
import { missing, RUN_SETUP, translate, unless } from "./errors.ts";
import { kindOf, readPlain } from "./files.ts";
import { LAYOUT_VERSION, type Layout } from "./layout.ts";

/*
 * Sessions are only as safe as their folder: another user of the machine who owns the folder, or may write to it, can
 * put a record there that logs in as any principal.
 */

/** The names in the folder, except `lost+found`, which the root of a disk has by itself. */
export const namesIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => name !== "lost+found");

/**
 * The version in the layout file; `""` where the file is empty, `undefined` where there is no layout file of the
 * driver.
 */
export async function readVersion({ version }: Layout): Promise<string | undefined> {
  // Only a file is read: a pipe would keep the reader waiting.
  if ((await unless("ENOENT", kindOf(version))) !== "file") return undefined;
  const text = (await readPlain(version))?.toString().trim();
  return text === undefined || /^\d{0,9}$/.test(text) ? text : undefined;
}

/** Whether another version of this package laid the files out. */
export const isOther = (written: string | undefined): boolean => !!written && written !== LAYOUT_VERSION;

export const otherVersion = ({ version }: Layout, written: string | undefined): string =>
  `${version} has the layout version "${written}", and this package knows version ${LAYOUT_VERSION}: use the package that wrote it, or another folder`;

export const unmarked = ({ directory, version }: Layout): string =>
  `${directory} is not empty, and has no layout file of this driver, so it may be another application's: name an empty or a new folder, such as ${join(directory, "sessions")}; or, if it is the driver's and only lost that file, write the line ${LAYOUT_VERSION} to ${version}`;

/** Whether an owner is neither this process's user nor root. */
export const isOthers = (uid: number | undefined): boolean =>
  process.geteuid !== undefined && uid !== undefined && uid !== process.geteuid() && uid !== 0;

/**
 * The reason not to keep sessions in this folder, and the way out; `undefined` for a safe one. The folder must exist.
 */
export async function distrust({ directory }: Layout): Promise<string | undefined> {
  const [own, target] = await Promise.all([lstat(directory), unless("ENOENT", stat(directory))]);
  if (!target?.isDirectory()) return `${directory} is not a folder: name another, or move that file away`;
  // Windows has no such owners and permissions.
  if (!process.geteuid) return undefined;
  for (const { uid } of [own, target])
    if (isOthers(uid))
      return `${directory} belongs to another user (${uid}), who could put sessions there: name a folder of your own, or run as that user`;
  // Refused with the sticky bit too, because others can still add names.
  if (target.mode & 0o002)
    return `Everybody may write to ${directory}, and so put sessions there: run chmod 700 on it, or name a new folder within it, such as ${join(directory, "sessions")}`;
  return undefined;
}

/** The ways to do work on the folder. Each rejects with a `SessionError`, and ends in time. */
export interface Connection {
  /** Does work on a folder that is the driver's and safe. @throws SessionSetupError where it is not. */
  readonly call: Call;
  /** The same on any folder, for `setup()`, `check()` and `teardown()`. */
  readonly uncheckedCall: Call;
}

/** @param timeout Milliseconds. */
export function createConnection(layout: Layout, timeout: number): Connection {
  const { directory } = layout;
  const uncheckedCall = createCall({ driver: "file", timeout, translate });
  let trusted: Promise<void> | undefined;

  async function demandTrust(): Promise<void> {
    if (!(await unless("ENOENT", stat(directory)))) throw missing(directory);
    const fault = await distrust(layout);
    if (fault !== undefined) throw new SessionSetupError(`file: ${fault}`);
    const written = await readVersion(layout);
    if (isOther(written)) throw new SessionSetupError(`file: ${otherVersion(layout, written)}.`);
    if (!written) throw new SessionSetupError(`file: ${directory} has no layout file: ${RUN_SETUP}.`);
  }

  return {
    uncheckedCall,
    call: (work, ...rest) =>
      uncheckedCall(
        async (...given) => {
          // Until the folder was found safe, which is once.
          trusted ??= demandTrust().catch((error: unknown) => {
            trusted = undefined;
            throw error;
          });
          await trusted;
          return work(...given);
        },
        ...rest,
      ),
  };
}
