import { randomInt } from "node:crypto";
import { link, mkdir, open, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { StoredRecord } from "@sessions/core";
import {
  CHANGE,
  demandFolders,
  entriesBehind,
  entriesIn,
  hasCode,
  kindOf,
  notFolder,
  readPlain,
  remove,
  removeIfEmpty,
  syncFolder,
  uniqueName,
  unless,
} from "./files.ts";
import { type Layout, OWN } from "./layout.ts";
import { type Content, decode, encode } from "./record.ts";

/*
 * A record is a folder, and in it a file whose name is a number; the highest number counts. A change is published by
 * link()ing a finished draft to the next number, which the system does for one of many and refuses the others. So there
 * is no lock: nobody waits for a process that was killed, and nothing goes stale.
 *
 * What could go wrong is a process that stands still between its look and its link, while others go on and remove the
 * number that it is about to take. Therefore the draft is in the folder before its writer looks, and whoever removes a
 * number removes first every draft that it saw once the next number was there. A writer that saw an old state has
 * no draft any more, and its link() fails. Removing a draft is always safe: its writer begins again.
 *
 * The end of a record is a number too, whose file says so, and no number follows it: the folder goes, the end last. A new
 * record comes as a whole folder, by rename(), and its numbers begin at random: what a process still means to remove
 * from a folder that is long gone is never a name in the new one.
 *
 * Where something lies in the folder that the driver did not make, the folder cannot go: there the end stays, and a new
 * record is a number that follows it, or the first one.
 */

/** One look at a record, and the right to replace what was seen, if nobody has done so since. */
export interface Attempt {
  readonly record: StoredRecord | undefined;
  /** `false`: somebody else was first, or it is too late; nothing was changed. `null` ends the record. */
  replace(next: StoredRecord | null, rules: PublishRules): Promise<boolean>;
  /** Ends the attempt without a change. */
  leave(): Promise<void>;
}

interface PublishRules {
  /** Asked at the last moment before the change is made. */
  isLate(): boolean;
  /** Whether the change must outlive a loss of power. */
  readonly lasting: boolean;
}

export interface Folders {
  load(id: string): Promise<StoredRecord | undefined>;
  begin(id: string): Promise<Attempt>;
  /** The file that counts, where there is a record, of an id just listed; on the way removes what killed processes left beside it. */
  inspect(id: string): Promise<string | undefined>;
  /** What is damaged: the file that counts, or a folder in which none does. */
  damaged(id: string): Promise<string | undefined>;
}

interface Seen {
  /** Ascending; the last one counts. */
  readonly numbers: readonly number[];
  readonly last: number | undefined;
  readonly drafts: readonly string[];
  /** What the driver did not make. */
  readonly strays: ReadonlySet<string>;
}

interface Found {
  /** `undefined` where a folder has no number. */
  readonly last: number | undefined;
  /** `null` where the record has ended, or there is no number. */
  readonly content: Content;
  readonly strays: ReadonlySet<string>;
}

/** 2100: a file's time cannot be any, and a later expiry is as good as this one. */
const LATEST_SECONDS = 4_102_444_800;
/** So many looks in a row that find no number show that there is none. */
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

/** Its time says when the record expires, so that a sweep need not read it. */
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

/** Removes what came before a number that is there already, so that the look comes after it; drafts first, see above. */
async function tidy(folder: string, before: number): Promise<void> {
  const seen = await look(folder);
  // Without that number this is a new record, or somebody has been here.
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
  // Another last number: somebody has buried it already, and this is a new record.
  if (!seen || seen.last !== end) return;
  await removeAll(folder, seen.drafts);
  if (end !== undefined) {
    await removeAll(folder, seen.numbers.slice(0, -1));
    if (seen.strays.size > 0) return;
    // Or a loss of power could take the end and leave what was before it.
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
        // A listing may be overtaken by a change; where the folder can go, its removal shows that, and else another look.
        if (strays.size > 0 && looks < LOOKS) continue;
        return { last, content: null, strays };
      }
      const file = join(folder, String(last));
      const bytes = await readPlain(file);
      // Otherwise there is a newer number by now.
      if (!bytes) continue;
      const content = decode(bytes);
      if (content === undefined) report(file);
      return { last, content, strays };
    }
  }

  /** A record that is not there can only be made. */
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
          // Another was made first, or a sweep has removed the draft.
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
        // For what is found once, since that is every request; what changes something looks each time.
        if (found?.last === undefined || !looked.has(shard)) await demandFolders(layout.records, shard);
        looked.add(shard);
        if (!found) return undefined;
        if (found.last !== undefined || found.strays.size > 0) return found.content ?? undefined;
        // Either it is empty, and goes, or a listing was overtaken by a change, and the next one is not.
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
        // Before the look, see above.
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
