import { join } from "node:path";
import { SessionSetupError } from "@sessions/core";
import { hasCode, inGroups, kindOf, NOT_ALLOWED, ownIn, remove, removeIfEmpty, unless } from "./files.ts";
import { type Layout, OWN } from "./layout.ts";
import { distrust, isOther, namesIn, otherVersion, readVersion, unmarked } from "./trust.ts";

/** What the driver makes in one of its folders: files of a form, or folders of a form, and what is below each. */
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

/** Removes what the driver made in a folder, and the folder if it is empty then; adds to `refused` what it may not remove. */
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

/** Removes what the driver made, and nothing else: what stays beside it is told in a warning. */
export async function tearDown(layout: Layout): Promise<void> {
  const { directory, version, drafts, records, principals } = layout;
  if ((await kindOf(directory)) === undefined) return;
  const fault = await distrust(layout);
  if (fault !== undefined) throw new SessionSetupError(`file: ${fault}`);
  const written = await readVersion(layout);
  if (isOther(written)) throw new SessionSetupError(`file: ${otherVersion(layout, written)}`);
  if (!written) {
    // Its folders tell the driver's where the layout file was lost.
    const shards = await Promise.all(
      [records, principals].map((parent) => ownIn(parent, "folders", OWN.shard)),
    );
    if (!shards.every((names) => names && names.length > 0)) {
      if ((await namesIn(directory)).length === 0) return;
      throw new SessionSetupError(`file: nothing was removed: ${unmarked(layout)}`);
    }
  }

  const refused: unknown[] = [];
  await removeOwn(records, RECORDS, refused);
  await removeOwn(principals, PRINCIPALS, refused);
  await removeOwn(drafts, DRAFTS, refused);
  // The mark stays until the rest is gone, so that this can be repeated.
  if (refused.length > 0) throw refused[0];
  if ((await kindOf(version)) === "file") await remove(version);
  const left = (await unless("ENOENT", namesIn(directory))) ?? [];
  if (left.length > 0)
    process.emitWarning(
      `${directory} stays, since not all in it is the driver's: ${left.slice(0, 3).join(", ")}`,
      {
        code: "SESSIONS_FILE_LEFT",
      },
    );
  // A mounted disk stays, and a folder in one that this process may not write to.
  else await unless(["EBUSY", ...NOT_ALLOWED], removeIfEmpty(directory));
}
