import { performance } from "node:perf_hooks";
import type { ListedRecord, ListPage } from "@sessions/core";
import type { Backend } from "./calls.ts";
import { scanPage } from "./scan.ts";
import { ADD_TO_SET, REMOVE_FROM_SET } from "./scripts.ts";

/**
 * The sets of ids, one for each principal. A set may name too many sessions but never too few, and heals as it is read.
 */
export interface PrincipalSets {
  /**
   * Puts an id into a principal's set, and lets the set live long enough for a session that has `left` milliseconds.
   * Where the set is long, returns ids whose records may be gone.
   */
  add(principal: string, id: string, left: number, end: number): Promise<string[]>;
  /** Removes the ids that have no record. Never rejects: no login may fail for it. */
  prune(principal: string, ids: string[], end: number): Promise<void>;
  /** A page of a principal's records, expired ones included. */
  list(principal: string, cursor: string | undefined, limit: number): Promise<ListPage>;
  /** Removes the ids of removed records from the sets, a limited number at a call; the next call goes on from there. */
  heal(): Promise<void>;
}

/** The most that one call of `heal` looks at: pages of a thousand of the server's keys, and sets. */
const HEAL_PAGES = 200;
const HEAL_SETS = 10_000;
const HEAL_AT_ONCE = 100;
const HOUR = 3_600_000;

export function createPrincipalSets(backend: Backend): PrincipalSets {
  const { within, send, run, executor, keys, timeout, load } = backend;
  // A write that takes longer than the timeout is never acknowledged; this is twice as long.
  const pending = String(2 * timeout);
  let healedTo: string | undefined;

  /**
   * A whole set, in the order of the ids. After a failover, a cursor of SSCAN would mean nothing to the next server.
   */
  async function idsIn(set: string): Promise<string[]> {
    const ids = await send(set, ["ZRANGE", set, "0", "-1"]);
    return Array.isArray(ids) ? ids.map(String).sort() : [];
  }

  async function remove(set: string, ids: string[], end?: number): Promise<void> {
    if (ids.length > 0) await run(REMOVE_FROM_SET, set, ids, end);
  }

  async function removeDead(set: string, ids: string[], end = performance.now() + timeout): Promise<void> {
    const versions = await Promise.all(
      ids.map((id) => send(keys.record(id), ["HGET", keys.record(id), "v"], end)),
    );
    const dead = ids.filter((_, i) => versions[i] === null);
    await remove(set, dead, end);
  }

  async function healSet(set: string): Promise<void> {
    const ids = await idsIn(set);
    while (ids.length > 0) await removeDead(set, ids.splice(0, HEAL_AT_ONCE));
  }

  return {
    async add(principal, id, left, end) {
      const life = String(2 * Math.max(left, 0) + HOUR);
      const args = [id, pending, life, String(Math.random())];
      const ids = await run(ADD_TO_SET, keys.set(principal), args, end);
      return Array.isArray(ids) ? ids.map(String) : [];
    },

    prune: (principal, ids, end) => removeDead(keys.set(principal), ids, end).catch(() => {}),

    async list(principal, cursor = "", limit) {
      const set = keys.set(principal);
      const rest = (await idsIn(set)).filter((id) => id > cursor);
      const ids = rest.slice(0, limit);
      const found = await Promise.all(ids.map(load));
      const records: ListedRecord[] = [];
      const foreign: string[] = [];
      for (const [i, id] of ids.entries()) {
        const record = found[i];
        if (record?.principal === principal) records.push({ id, ...record });
        else foreign.push(id);
      }
      await remove(set, foreign);
      const last = ids.at(-1);
      return { records, ...(rest.length > limit && last !== undefined && { cursor: last }) };
    },

    async heal() {
      let sets = 0;
      for (let pages = 0; pages < HEAL_PAGES && sets < HEAL_SETS; pages++) {
        const page = await within((limit) => scanPage(executor, limit, keys.pattern, 1000, healedTo));
        for (const set of page.keys.filter(keys.isSet)) {
          sets++;
          await healSet(set);
        }
        healedTo = page.cursor;
        if (healedTo === undefined) return;
      }
    },
  };
}
