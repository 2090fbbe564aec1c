import { randomInt } from "node:crypto";
import { link, mkdir, open, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StoredRecord } from "@sessions/core";
import { hasCode, notFolder, unless } from "./errors.ts";
import {
  CHANGE,
  demandFolders,
  entriesBehind,
  entriesIn,
  kindOf,
  readPlain,
  remove,
  removeIfEmpty,
  syncFolder,
  uniqueName,
} from "./files.ts";
import { type Content, decode, encode, type Layout, OWN } from "./layout.ts";

/*
 * A record is a folder with files whose names are numbers; the highest number counts. A writer publishes a change with
 * link(), which gives a finished draft the next number: the system lets one of many writers do so, and refuses the
 * others. So there is no lock, no process waits for one that was killed, and nothing goes stale.
 *
 * One danger remains: a writer may stand still between its look and its link(), while others go on and remove the
 * number that it is about to take. So each writer puts its draft into the folder before it looks. And a process that
 * removes a number first removes every draft that it saw after the next number was there. A writer that saw an old
 * state then has no draft any more, and its link() fails. Removing a draft is always safe, because its writer begins
 * again.
 *
 * The end of a record is a number too, whose file says so, and no number follows it: the folder is removed, the end
 * last. A new record comes as a whole folder, by rename(), and its numbers begin at random. So a process that is late
 * in removing a name from an old folder never finds that name in the new one.
 *
 * A folder that holds something foreign cannot be removed. There the end stays, and a new record is the number after
 * it, or the first one.
 */

/** One look at a record, and the right to replace the state that was seen, if no other writer has done so since. */
export interface Attempt {
  readonly record: StoredRecord | undefined;
  /** Replaces the state; `null` ends the record. `false` where another writer was first, or it is too late. */
  replace(next: StoredRecord | null, rules: PublishRules): Promise<boolean>;
  /** Ends the attempt without a change. */
  leave(): Promise<void>;
}

interface PublishRules {
  /** Whether it is too late. Called at the last moment before the change. */
  isLate(): boolean;
  /** Whether the change must survive a loss of power. */
  readonly lasting: boolean;
}

export interface Folders {
  load(id: string): Promise<StoredRecord | undefined>;
  begin(id: string): Promise<Attempt>;
  /** The file that counts, of an id just listed; `undefined` without a record. Removes what killed processes left. */
  inspect(id: string): Promise<string | undefined>;
  /** The damaged path: the file that counts, or a folder without one. `undefined` where nothing is damaged. */
  damaged(id: string): Promise<string | undefined>;
}

interface Seen {
  /** Ascending; the last one counts. */
  readonly numbers: readonly number[];
  readonly last: number | undefined;
  readonly drafts: readonly string[];
  /** The names that the driver did not make. */
  readonly strays: ReadonlySet<string>;
}

interface Found {
  /** `undefined` where a folder has no number. */
  readonly last: number | undefined;
  /** `null` where the record has ended, or there is no number. */
  readonly content: Content;
  readonly strays: ReadonlySet<string>;
}

/** The year 2100, because a file's time has a limit, and the sweep need not tell later expiries apart. */
const LATEST_SECONDS = 4_102_444_800;
/** The number of looks in a row without a number that show that there is none. */
const LOOKS = 3;

async function look(folder: string, list = entriesIn): Promise<Seen | undefined> {
  const entries = await list(folder);
  if (!entries) return undefined;
  const own: string[] = [];
  const strays = new Set<string>();
  for (const entry of entries) {
    if (entry.isFile() && OWN.state.test(entry.name)) own.push(entry.name);
    else strays.add(entry.name);
  }
  const numbers = own
    .filter((name) => OWN.number.test(name))
    .map(Number)
    .sort((a, b) => a - b);
  return { numbers, last: numbers.at(-1), drafts: own.filter((name) => name.startsWith("~")), strays };
}

const removeAll = (folder: string, names: readonly (string | number)[]) =>
  Promise.all(names.map((name) => remove(join(folder, String(name)))));

/** Writes a state. The file's time is the record's expiry, so that a sweep need not read the file. */
async function fill(
  file: string,
  flag: string | number,
  next: StoredRecord | null,
  lasting: boolean,
): Promise<void> {
  const handle = await open(file, flag, 0o600);
  try {
    await handle.writeFile(encode(next));
    const seconds = Math.min((next?.expiresAt ?? 0) / 1000, LATEST_SECONDS);
    await handle.utimes(seconds, seconds);
    if (lasting) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes the numbers before one that exists already, so that the look comes after it; drafts first, see above. */
async function tidy(folder: string, before: number): Promise<void> {
  const seen = await look(folder);
  // Without that number this is a new record, or another process has done the work.
  if (!seen?.numbers.includes(before)) return;
  await removeAll(folder, seen.drafts);
  await removeAll(
    folder,
    seen.numbers.filter((number) => number < before),
  );
}

/** Removes a folder whose last number says that the record has ended, or that has no number. */
async function bury(folder: string, end: number | undefined, lasting: boolean): Promise<void> {
  const seen = await look(folder);
  // With another last number this is a new record: another process has buried the old one.
  if (!seen || seen.last !== end) return;
  await removeAll(folder, seen.drafts);
  if (end !== undefined) {
    await removeAll(folder, seen.numbers.slice(0, -1));
    if (seen.strays.size > 0) return;
    // Otherwise a loss of power could take the end and leave the numbers before it.
    if (lasting) await syncFolder(folder);
    await removeAll(folder, [end]);
  }
  await removeIfEmpty(folder);
}

export function createFolders(layout: Layout): Folders {
  const reported = new Set<string>();
  const looked = new Set<string>();

  function report(file: string): void {
    if (reported.has(file)) return;
    reported.add(file);
    process.emitWarning(`${file} is damaged, and taken for lost`, { code: "SESSIONS_FILE_DAMAGED" });
  }

  async function read(folder: string): Promise<Found | undefined> {
    for (let looks = 1; ; looks++) {
      const seen = await look(folder);
      if (!seen) return undefined;
      const { last, strays } = seen;
      if (last === undefined) {
        // A change may overtake a listing. The folder's removal shows that; a folder with strays needs another look.
        if (strays.size > 0 && looks < LOOKS) continue;
        return { last, content: null, strays };
      }
      const file = join(folder, String(last));
      const bytes = await readPlain(file);
      // Without the file there is a newer number by now.
      if (!bytes) continue;
      const content = decode(bytes);
      if (content === undefined) report(file);
      return { last, content, strays };
    }
  }

  /** An attempt to make a record that does not exist. */
  function beginNew(folder: string): Attempt {
    return {
      record: undefined,
      async leave() {},
      async replace(next, { isLate, lasting }) {
        if (next === null) return true;
        await demandFolders(layout.drafts);
        const draft = join(layout.drafts, uniqueName());
        const file = join(draft, String(randomInt(1, 2 ** 47)));
        await mkdir(draft, { mode: 0o700 });
        try {
          await fill(file, "wx", next, lasting);
          if (lasting) await syncFolder(draft);
          if (isLate()) return false;
          await rename(draft, folder);
        } catch (error) {
          // Another record was first, or a sweep has removed the draft.
          if (hasCode(error, "ENOTEMPTY", "EEXIST", "ENOENT")) return false;
          const inPlace = await unless("ENOTDIR", kindOf(folder));
          throw inPlace === undefined || inPlace === "folder" ? error : notFolder(folder);
        } finally {
          await remove(file);
          await removeIfEmpty(draft);
        }
        if (lasting) await syncFolder(dirname(folder));
        return true;
      },
    };
  }

  return {
    async load(id) {
      const folder = layout.record(id);
      const shard = dirname(folder);
      for (;;) {
        const found = await read(folder);
        // A load looks once for each shard, because it is part of every request; a change looks each time.
        if (found?.last === undefined || !looked.has(shard)) await demandFolders(layout.records, shard);
        looked.add(shard);
        if (!found) return undefined;
        if (found.last !== undefined || found.strays.size > 0) return found.content ?? undefined;
        // Either the folder is empty, and goes, or a change overtook the listing, and the next look finds it.
        await bury(folder, undefined, false);
      }
    },

    async begin(id) {
      const folder = layout.record(id);
      for (;;) {
        await demandFolders(layout.records, dirname(folder));
        if ((await kindOf(folder)) !== "folder") return beginNew(folder);
        const draft = join(folder, `~${uniqueName()}`);
        const leave = () => remove(draft);
        // The draft comes before the look, see above.
        const begun = await unless(
          "ENOENT",
          writeFile(draft, "", { flag: "wx", mode: 0o600 }).then(() => true),
        );
        if (!begun) continue;
        const found = await read(folder);
        if (!found || (found.content === null && found.strays.size === 0)) {
          await leave();
          await bury(folder, found?.last, true);
          continue;
        }
        const { last = 0, content, strays } = found;
        return {
          record: content ?? undefined,
          leave,
          async replace(next, { isLate, lasting }) {
            let number = last + 1;
            while (strays.has(String(number))) number++;
            try {
              // There is nothing to end.
              if (next === null && content === null) return true;
              await fill(draft, CHANGE, next, lasting);
              if (isLate()) return false;
              await link(draft, join(folder, String(number)));
            } catch (error) {
              if (hasCode(error, "ENOENT", "EEXIST")) return false;
              throw error;
            } finally {
              await leave();
            }
            if (next === null) {
              await bury(folder, number, lasting);
              return true;
            }
            if (lasting) await syncFolder(folder);
            await tidy(folder, number);
            return true;
          },
        };
      }
    },

    async inspect(id) {
      const folder = layout.record(id);
      const seen = await look(folder, entriesBehind);
      if (!seen) return undefined;
      if (seen.last === undefined) {
        await bury(folder, undefined, false);
        return undefined;
      }
      if (seen.drafts.length > 0 || seen.numbers.length > 1) await tidy(folder, seen.last);
      return join(folder, String(seen.last));
    },

    async damaged(id) {
      const folder = layout.record(id);
      const found = await read(folder);
      if (found?.last === undefined) return found && found.strays.size > 0 ? folder : undefined;
      return found.content === undefined ? join(folder, String(found.last)) : undefined;
    },
  };
}
