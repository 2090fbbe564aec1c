import { lstat, rename } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { isSessionError, type SweepRange } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import type { ChangeRecord } from "./changes.ts";
import { hasCode, NOT_ALLOWED, unless } from "./errors.ts";
import { demandOwn, entriesIn, idsIn, remove, removeIfEmpty, uniqueName } from "./files.ts";
import type { Folders } from "./folders.ts";
import { type Layout, OWN, SHARDS } from "./layout.ts";
import type { Principals } from "./principals.ts";

export interface SweepParts {
  readonly layout: Layout;
  readonly folders: Folders;
  readonly principals: Principals;
  readonly change: ChangeRecord;
  readonly call: Call;
  readonly timeout: number;
}

/** The number of records at a time: few, so that requests find a free thread of the file system. */
const GROUP = 4;
/** The margin around a file's time, which some file systems round. The time only tells which records to read. */
const SLACK_MS = 2_500;
/** The time after its last change at which a damaged file is removed. */
const DAY_MS = 24 * 3_600_000;

/**
 * Walks round the shards. Each call goes on where the last one ended, and returns after `limit` removals or a whole
 * round. It looks at the time of each record's file, and reads only the files that seem to have expired.
 */
export function createSweep(parts: SweepParts): (range: SweepRange) => Promise<number> {
  const { layout, folders, principals, change, call, timeout } = parts;
  let position = "";

  /** Removes the folder of a new record that never came to its place. */
  async function removeDraft(name: string): Promise<void> {
    const draft = join(layout.drafts, name);
    const entries = await entriesIn(draft);
    // A draft that holds something foreign stays.
    if (!entries?.every((entry) => entry.isFile() && OWN.number.test(entry.name))) return;
    const dead = join(layout.drafts, uniqueName());
    // Renamed, it cannot be moved to its place half removed: a writer that was about to do so begins again.
    await unless("ENOENT", rename(draft, dead));
    for (const entry of entries) await remove(join(dead, entry.name));
    await removeIfEmpty(dead);
  }

  async function sweepOne(id: string, { after, before }: SweepRange): Promise<number> {
    const file = await folders.inspect(id);
    if (file === undefined) return 0;
    const time = (await unless("ENOENT", lstat(file)))?.mtimeMs;
    if (time === undefined || time < after - SLACK_MS || time >= before + SLACK_MS) return 0;
    return change(id, {
      end: performance.now() + timeout,
      // An expired record may come back after a loss of power.
      lasting: false,
      decide(record) {
        // The file is damaged.
        if (!record) return { result: 0, ...(before - time >= DAY_MS && { next: null }) };
        const expired = record.expiresAt >= after && record.expiresAt < before;
        return expired ? { result: 1, next: null } : { result: 0 };
      },
    });
  }

  return async (range) => {
    let removed = 0;
    let refused: unknown;
    /** Goes on after a path that this process may not touch. */
    async function tolerate<T>(work: Promise<T>): Promise<T | undefined> {
      try {
        return await work;
      } catch (error) {
        const cause = isSessionError(error) ? error.cause : error;
        if (!hasCode(cause, ...NOT_ALLOWED)) throw error;
        refused ??= cause;
        return undefined;
      }
    }

    async function removeDrafts(): Promise<void> {
      for (const name of await demandOwn(layout.drafts, "folders", OWN.draft))
        await tolerate(removeDraft(name));
    }

    const from = position;
    const first = SHARDS.indexOf(from.slice(0, 2));
    // The first shard twice: first from the position on, at last up to the position.
    for (let step = 0; step <= SHARDS.length; step++) {
      const shard = SHARDS[(Math.max(first, 0) + step) % SHARDS.length] ?? "";
      if (shard === SHARDS[0]) await tolerate(call(removeDrafts));
      const all = (await tolerate(call(() => idsIn(layout.records, shard)))) ?? [];
      const ids = all.filter((id) => (step === 0 ? id > from : step < SHARDS.length || id <= from));
      while (ids.length > 0) {
        const group = ids.splice(0, Math.min(GROUP, range.limit - removed));
        const sweep = async (id: string) => (await tolerate(sweepOne(id, range))) ?? 0;
        const counts = await call(() => Promise.all(group.map(sweep)));
        removed += counts.reduce((sum, count) => sum + count, 0);
        position = group.at(-1) ?? position;
        if (removed >= range.limit) return removed;
      }
      await tolerate(principals.heal(shard));
    }
    // Rejects at last, after everything else was swept.
    if (removed === 0 && refused !== undefined) await call(() => Promise.reject(refused));
    return removed;
  };
}
