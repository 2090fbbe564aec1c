import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import { createCheck } from "./check.ts";
import { distrust, isOther, namesIn, otherVersion, readVersion, unmarked } from "./connection.ts";
import { hasCode, NOT_ALLOWED, notFolder, RUN_SETUP, unless } from "./errors.ts";
import { inGroups, kindOf, MAKE, ownIn, remove, removeIfEmpty, syncFolder } from "./files.ts";
import type { Folders } from "./folders.ts";
import { LAYOUT_VERSION, type Layout, OWN, SHARDS } from "./layout.ts";

/** Makes a folder, if it is missing; `false` where a link or a file is in its place. */
async function make(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    return (await kindOf(folder)) === "folder";
  }
}

/** The content of one of the driver's folders: files of a form, or folders of a form with their content. */
type Level = { readonly files: RegExp } | { readonly folders: RegExp; below(name: string): Level };

const DRAFTS: Level = { folders: OWN.draft, below: () => ({ files: OWN.number }) };
const RECORDS: Level = {
  folders: OWN.shard,
  below: (shard) => ({ folders: OWN.record(shard), below: () => ({ files: OWN.state }) }),
};
const PRINCIPALS: Level = {
  folders: OWN.shard,
  below: (shard) => ({ folders: OWN.principal(shard), below: () => ({ files: OWN.entry }) }),
};

/**
 * Removes what the driver made in a folder, then the folder if it is empty; adds errors of permissions to `refused`.
 */
async function removeOwn(folder: string, level: Level, refused: unknown[]): Promise<void> {
  if ((await kindOf(folder)) !== "folder") return;
  try {
    if ("files" in level)
      for (const name of (await ownIn(folder, "files", level.files)) ?? []) await remove(join(folder, name));
    else
      await inGroups((await ownIn(folder, "folders", level.folders)) ?? [], 8, (name) =>
        removeOwn(join(folder, name), level.below(name), refused),
      );
    await removeIfEmpty(folder);
  } catch (error) {
    if (!hasCode(error, ...NOT_ALLOWED)) throw error;
    refused.push(error);
  }
}

/** Removes what the driver made, and nothing else; a warning names what stays. */
async function tearDown(layout: Layout): Promise<void> {
  const { directory, version, drafts, records, principals } = layout;
  if ((await kindOf(directory)) === undefined) return;
  const fault = await distrust(layout);
  if (fault !== undefined) throw new SessionSetupError(`file: ${fault}`);
  const written = await readVersion(layout);
  if (isOther(written)) throw new SessionSetupError(`file: ${otherVersion(layout, written)}.`);
  if (!written) {
    // Without the layout file, the folders show whether it is the driver's.
    const shards = await Promise.all(
      [records, principals].map((parent) => ownIn(parent, "folders", OWN.shard)),
    );
    if (!shards.every((names) => names && names.length > 0)) {
      if ((await namesIn(directory)).length === 0) return;
      throw new SessionSetupError(`file: nothing was removed. ${unmarked(layout)}`);
    }
  }

  const refused: unknown[] = [];
  await removeOwn(records, RECORDS, refused);
  await removeOwn(principals, PRINCIPALS, refused);
  await removeOwn(drafts, DRAFTS, refused);
  // The layout file stays until the rest is gone, so that teardown() can be repeated.
  if (refused.length > 0) throw refused[0];
  if ((await kindOf(version)) === "file") await remove(version);
  const left = (await unless("ENOENT", namesIn(directory))) ?? [];
  if (left.length > 0)
    process.emitWarning(
      `${directory} stays, because it holds files that are not the driver's: ${left.slice(0, 3).join(", ")}`,
      {
        code: "SESSIONS_FILE_LEFT",
      },
    );
  // A mounted disk stays, and so does a folder whose parent this process may not write to.
  else await unless(["EBUSY", ...NOT_ALLOWED], removeIfEmpty(directory));
}

/** Makes, checks and removes the folders. */
export function createProvisioning(
  layout: Layout,
  folders: Folders,
  call: Call,
): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { directory, version, drafts, records, principals } = layout;

  /**
   * Marks an empty folder as the driver's, before anything else is in it. Other setups at the same time know the folder
   * by that mark, and so does a setup after one that was killed.
   *
   * @throws SessionSetupError for another application's folder.
   */
  async function claim(): Promise<void> {
    const fault = await distrust(layout);
    if (fault !== undefined) throw new SessionSetupError(`file: ${fault}`);
    const names = await namesIn(directory);
    // After the names, because another setup makes its mark before anything else.
    const written = await readVersion(layout);
    if (written === LAYOUT_VERSION) return;
    if (isOther(written)) throw new SessionSetupError(`file: ${otherVersion(layout, written)}.`);
    const isEmpty =
      names.length === 0 || (written === "" && names.every((name) => join(directory, name) === version));
    if (!isEmpty) throw new SessionSetupError(`file: ${unmarked(layout)}`);
    const handle = await open(version, MAKE, 0o600);
    try {
      // At the start of the file, so that several processes write the same.
      await handle.write(`${LAYOUT_VERSION}\n`, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncFolder(directory);
  }

  async function makeShards(parent: string): Promise<string[]> {
    const made = new Set(await ownIn(parent, "folders", OWN.shard));
    const lacking = SHARDS.filter((shard) => !made.has(shard)).map((shard) => join(parent, shard));
    const right = await inGroups(lacking, 16, make);
    if (lacking.length > 0) await syncFolder(parent);
    return lacking.filter((_, i) => !right[i]);
  }

  return {
    async setup() {
      await call(async () => {
        try {
          // claim() has the better error for a file in its place, or a link that leads nowhere.
          await unless(["EEXIST", "ENOENT"], mkdir(directory, { recursive: true, mode: 0o700 }));
          await claim();
          const above = [drafts, records, principals];
          for (const folder of above) if (!(await make(folder))) throw notFolder(folder);
          await syncFolder(directory);
          const [stray] = [...(await makeShards(records)), ...(await makeShards(principals))];
          if (stray !== undefined) throw notFolder(stray);
        } catch (error) {
          if (!hasCode(error, ...NOT_ALLOWED)) throw error;
          throw new SessionSetupError(
            `file: this process may not make what is missing in ${directory}. As a user with that permission, ${RUN_SETUP}; and let the user of this process own the folder and all that is in it.`,
            { cause: error },
          );
        }
      }, Number.POSITIVE_INFINITY);
    },

    check: createCheck(layout, folders, call),

    teardown: () => call(() => tearDown(layout), Number.POSITIVE_INFINITY),
  };
}
