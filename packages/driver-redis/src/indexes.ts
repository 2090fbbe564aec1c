import { performance } from "node:perf_hooks";
import type { ListedRecord, ListPage, StoredRecord } from "@sessions/core";
import type { Connection, Limits } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { scanPage } from "./scan.ts";
import { INDEX, type Script, UNINDEX } from "./scripts.ts";

/** Runs a script on one key, until `end` by `performance.now()`. @default end now, and the driver's timeout */
export type RunScript = (script: Script, key: string, args: string[], end?: number) => Promise<unknown>;

/** Makes one call, in `time` milliseconds. @default time the driver's timeout */
export type Within = <T>(work: (limits: Limits) => Promise<T>, time?: number) => Promise<T>;

/** What the rest of the driver lends to its parts. */
export interface Backend {
  readonly within: Within;
  readonly connection: Connection;
  readonly keys: Keys;
  readonly timeout: number;
  readonly run: RunScript;
  load(id: string): Promise<StoredRecord | undefined>;
}

/** The sets of ids, one a principal: they may name too much and never too little, and heal as they are read. */
export interface Indexes {
  /**
   * Puts an id into a principal's set, which from then on lives long enough for a session that has `left` milliseconds.
   * Returns ids whose records may be gone, where the set is long.
   */
  add(principal: string, id: string, left: number, end: number): Promise<string[]>;
  /** Takes those ids out that have no record. No login fails for it. */
  prune(principal: string, ids: string[], end: number): Promise<void>;
  /** A page of a principal's records, expired ones among them. */
  of(principal: string, cursor: string | undefined, limit: number): Promise<ListPage>;
  /** Takes the ids of removed records out of the sets, so many at a call, and goes on there at the next. */
  heal(): Promise<void>;
}

/** What one call of `heal` looks at, at most: pages of a thousand keys of the server, and sets. */
const HEAL_PAGES = 200;
const HEAL_SETS = 10_000;
const HEAL_AT_ONCE = 100;
const HOUR = 3_600_000;

export function createIndexes({ within, connection, keys, timeout, run, load }: Backend): Indexes {
  // A write that takes longer is never acknowledged, and this is twice as long.
  const pending = String(2 * timeout);
  let healedTo: string | undefined;

  /** All of a set, in the order of the ids. A cursor of the server's would mean nothing to the next after a failover. */
  async function idsIn(index: string): Promise<string[]> {
    const ids = await within((limits) => connection.send(index, ["ZRANGE", index, "0", "-1"], limits));
    return Array.isArray(ids) ? ids.map(String).sort() : [];
  }

  async function remove(index: string, ids: string[], end?: number): Promise<void> {
    if (ids.length > 0) await run(UNINDEX, index, ids, end);
  }

  async function removeDead(index: string, ids: string[], end = performance.now() + timeout): Promise<void> {
    const versions = await Promise.all(
      ids.map((id) => {
        const key = keys.record(id);
        return within((limits) => connection.send(key, ["HGET", key, "v"], limits), end - performance.now());
      }),
    );
    await remove(
      index,
      ids.filter((_, i) => versions[i] === null),
      end,
    );
  }

  async function healSet(index: string): Promise<void> {
    const ids = await idsIn(index);
    while (ids.length > 0) await removeDead(index, ids.splice(0, HEAL_AT_ONCE));
  }

  return {
    async add(principal, id, left, end) {
      const life = String(2 * Math.max(left, 0) + HOUR);
      const args = [id, pending, life, String(Math.random())];
      const ids = await run(INDEX, keys.index(principal), args, end);
      return Array.isArray(ids) ? ids.map(String) : [];
    },

    prune: (principal, ids, end) => removeDead(keys.index(principal), ids, end).catch(() => {}),

    async of(principal, cursor = "", limit) {
      const index = keys.index(principal);
      const rest = (await idsIn(index)).filter((id) => id > cursor);
      const ids = rest.slice(0, limit);
      const found = await Promise.all(ids.map(load));
      const records: ListedRecord[] = [];
      const foreign: string[] = [];
      for (const [i, id] of ids.entries()) {
        const record = found[i];
        if (record?.principal === principal) records.push({ id, ...record });
        else foreign.push(id);
      }
      await remove(index, foreign);
      const last = ids.at(-1);
      return { records, ...(rest.length > limit && last !== undefined && { cursor: last }) };
    },

    async heal() {
      let sets = 0;
      for (let pages = 0; pages < HEAL_PAGES && sets < HEAL_SETS; pages++) {
        const page = await within((limits) => scanPage(connection, limits, keys.pattern, 1000, healedTo));
        for (const index of page.keys.filter(keys.isIndex)) {
          sets++;
          await healSet(index);
        }
        healedTo = page.cursor;
        if (healedTo === undefined) return;
      }
    },
  };
}
