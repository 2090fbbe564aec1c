import type { ListedRecord, ListPage, StoredRecord } from "@sessions/core";
import type { Call } from "@sessions/core/driver-tools";
import type { Connection } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { parseScan, scanPage } from "./scan.ts";
import { INDEX, type Script, UNINDEX } from "./scripts.ts";

/** What the rest of the driver lends to its parts. */
export interface Backend {
  readonly call: Call;
  readonly connection: Connection;
  readonly keys: Keys;
  readonly timeout: number;
  run(script: Script, key: string, ...args: string[]): Promise<unknown>;
  load(id: string): Promise<StoredRecord | undefined>;
}

/** The sets of ids, one a principal: they may name too much and never too little, and heal as they are read. */
export interface Indexes {
  add(principal: string, id: string): Promise<unknown>;
  /** A page of a principal's records, expired ones among them. */
  of(principal: string, cursor: string | undefined, limit: number): Promise<ListPage>;
  /** Takes the ids of removed records out of so many sets, and goes on there at the next call. */
  heal(limit: number): Promise<void>;
}

export function createIndexes({ call, connection, keys, timeout, run, load }: Backend): Indexes {
  // A write that takes longer is never acknowledged, and this is twice as long.
  const pending = String(2 * timeout);
  let healedTo: string | undefined;

  async function readPage(index: string, cursor: string, limit: number) {
    const scan = ["ZSCAN", index, cursor, "COUNT", String(limit)];
    const { next, found } = parseScan(await call(() => connection.send(index, scan)));
    // Members and scores, in turn.
    const ids = found.filter((_, i) => i % 2 === 0);
    const records = await Promise.all(ids.map(load));
    const entries = ids.map((id, i) => ({ id, record: records[i] }));
    return { next, entries };
  }

  async function remove(index: string, ids: string[]): Promise<void> {
    if (ids.length > 0) await call(() => run(UNINDEX, index, ...ids));
  }

  return {
    add: (principal, id) => call(() => run(INDEX, keys.index(principal), id, pending)),

    async of(principal, cursor = "0", limit) {
      const index = keys.index(principal);
      const { next, entries } = await readPage(index, cursor, limit);
      const records: ListedRecord[] = [];
      const foreign: string[] = [];
      for (const { id, record } of entries) {
        if (record?.principal === principal) records.push({ id, ...record });
        else foreign.push(id);
      }
      await remove(index, foreign);
      return { records, ...(next !== "0" && { cursor: next }) };
    },

    async heal(limit) {
      let seen = 0;
      do {
        const page = await call(() => scanPage(connection, keys.pattern, 1000, healedTo));
        healedTo = page.cursor;
        for (const index of page.keys.filter(keys.isIndex)) {
          seen++;
          let cursor = "0";
          do {
            const { next, entries } = await readPage(index, cursor, 100);
            const lost = entries.filter(({ record }) => record === undefined);
            await remove(
              index,
              lost.map(({ id }) => id),
            );
            cursor = next;
          } while (cursor !== "0");
        }
      } while (healedTo !== undefined && seen < limit);
    },
  };
}
