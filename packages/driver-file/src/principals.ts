import { lstat, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ListedRecord, ListPage, StoredRecord } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import { missing, notFolder, unless } from "./errors.ts";
import {
  demandFolders,
  demandOwn,
  inGroups,
  kindOf,
  ownIn,
  remove,
  removeIfEmpty,
  syncFolder,
  uniqueName,
} from "./files.ts";
import { type Layout, OWN } from "./layout.ts";

/*
 * A principal's entry is written before its record, so an entry's record may still be on its way. Each write makes an
 * entry of its own. An hour later the record exists or never will, because `timeout` is shorter. So the removal of an
 * old entry never removes one that was made since.
 */
const ON_ITS_WAY_MS = 3_600_000;

export interface Principals {
  /** Adds an entry for a record that is about to be written. */
  add(principal: string, id: string): Promise<void>;
  /** A page of a principal's live records. Removes old entries that name no record, or another principal's. */
  list(principal: string, after: string, limit: number, now: number): Promise<ListPage>;
  /** Removes the entries in one shard that name no record. */
  heal(shard: string): Promise<void>;
}

/** The most records of one page. */
const PAGE = 100;

const idOf = (entry: string): string => entry.slice(0, 32);

async function removeOld(folder: string, entries: readonly string[]): Promise<void> {
  for (const entry of entries) {
    const file = join(folder, entry);
    const made = await unless("ENOENT", lstat(file));
    if (made && made.mtimeMs < Date.now() - ON_ITS_WAY_MS) await remove(file);
  }
}

export function createPrincipals(
  layout: Layout,
  call: Call,
  load: (id: string) => Promise<StoredRecord | undefined>,
): Principals {
  const entriesOf = (folder: string) => ownIn(folder, "files", OWN.entry);

  async function healEntry(folder: string, entry: string): Promise<void> {
    const record = layout.record(idOf(entry));
    if (await unless("ENOTDIR", kindOf(record))) return;
    const kind = await kindOf(dirname(record));
    if (kind === undefined) throw missing(dirname(record));
    // With something else in the place of the shard, all its records only seem to be gone.
    if (kind !== "folder") return;
    await removeOld(folder, [entry]);
  }

  return {
    async add(principal, id) {
      const folder = layout.principal(principal);
      for (;;) {
        await demandFolders(layout.principals, dirname(folder));
        await unless(["EEXIST", "ENOENT"], mkdir(folder, { mode: 0o700 }));
        const kind = await kindOf(folder);
        if (kind !== undefined && kind !== "folder") throw notFolder(folder);
        const handle = await unless("ENOENT", open(join(folder, `${id}.${uniqueName()}`), "wx", 0o600));
        // Another process has just removed the folder, which was empty.
        if (!handle) continue;
        await handle.close();
        break;
      }
      await syncFolder(folder);
      await syncFolder(dirname(folder));
    },

    async list(principal, after, limit, now) {
      const folder = layout.principal(principal);
      const entries = await entriesOf(folder);
      if (!entries) {
        await demandFolders(layout.principals, dirname(folder));
        return { records: [] };
      }
      const ids = [...new Set(entries.map(idOf))].filter((id) => id > after).sort();
      const page = ids.slice(0, Math.min(limit, PAGE));
      const records: ListedRecord[] = [];
      const foreign = new Set<string>();
      await inGroups(page, 8, async (id) => {
        const record = await load(id);
        if (record?.principal !== principal) foreign.add(id);
        else if (record.expiresAt > now) records.push({ id, ...record });
      });
      await removeOld(
        folder,
        entries.filter((entry) => foreign.has(idOf(entry))),
      );
      const last = page.at(-1);
      return { records, ...(ids.length > page.length && last !== undefined && { cursor: last }) };
    },

    async heal(shard) {
      const kind = await call(() => kindOf(layout.principals));
      if (kind !== undefined && kind !== "folder") return;
      const parent = join(layout.principals, shard);
      for (const name of await call(() => demandOwn(parent, "folders", OWN.principal(shard)))) {
        const folder = join(parent, name);
        const entries = (await call(() => entriesOf(folder))) ?? [];
        while (entries.length > 0) {
          const group = entries.splice(0, 8);
          await call(() => Promise.all(group.map((entry) => healEntry(folder, entry))));
        }
        await call(() => removeIfEmpty(folder));
      }
    },
  };
}
