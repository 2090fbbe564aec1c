import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import { createCheck } from "./check.ts";
import {
  hasCode,
  inGroups,
  kindOf,
  MAKE,
  NOT_ALLOWED,
  notFolder,
  ownIn,
  RUN_SETUP,
  syncFolder,
  unless,
} from "./files.ts";
import type { Folders } from "./folders.ts";
import { LAYOUT_VERSION, type Layout, OWN, SHARDS } from "./layout.ts";
import { tearDown } from "./teardown.ts";
import { distrust, isOther, namesIn, otherVersion, readVersion, unmarked } from "./trust.ts";

/** Makes a folder, or finds it: `false` where a link or a file is in its place. */
async function make(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
    return (await kindOf(folder)) === "folder";
  }
}

/** Makes, checks and removes the folders. */
export function createProvisioning(
  layout: Layout,
  folders: Folders,
  call: Call,
): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { directory, version, drafts, records, principals } = layout;

  /**
   * Marks an empty folder as the driver's before anything else is in it, so that several setups at once, and one after
   * another that was killed, know it.
   * @throws SessionSetupError for one that is somebody else's
   */
  async function claim(): Promise<void> {
    const fault = await distrust(layout);
    if (fault !== undefined) throw new SessionSetupError(`file: ${fault}`);
    const names = await namesIn(directory);
    // After the names: what another setup makes comes after its mark.
    const written = await readVersion(layout);
    if (written === LAYOUT_VERSION) return;
    if (isOther(written)) throw new SessionSetupError(`file: ${otherVersion(layout, written)}`);
    const isEmpty =
      names.length === 0 || (written === "" && names.every((name) => join(directory, name) === version));
    if (!isEmpty) throw new SessionSetupError(`file: ${unmarked(layout)}`);
    const handle = await open(version, MAKE, 0o600);
    try {
      // In the same place, whichever process is the first.
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
          // A file in its place, or a link that leads nowhere, is told by claim().
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
            `file: this process may not make what is missing in ${directory}: ${RUN_SETUP}, as a user who may; and let the user of this process own it and all that is in it`,
            { cause: error },
          );
        }
      }, Number.POSITIVE_INFINITY);
    },

    check: createCheck(layout, folders, call),

    teardown: () => call(() => tearDown(layout), Number.POSITIVE_INFINITY),
  };
}
