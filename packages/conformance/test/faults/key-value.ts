import { yieldToEventLoop } from "../../src/support.ts";
import { copy, isLive } from "../simple-driver.ts";
import type { Fault } from "./fault.ts";
import { beside, enter, type Index, indexed } from "./wrap.ts";

const expiries = beside(() => new Map<string, number>());

/** Faults in an index on principals that is kept apart from the records. */
export const keyValueFaults: Fault[] = [
  indexed("R13", "the index keeps the expiry that a record had at its login", (rows, sound) => {
    const due = expiries(rows);
    return {
      create(id, record, now) {
        due.set(id, record.expiresAt);
        return sound.create(id, record, now);
      },
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        const row = rows.get(id);
        if (change.principal && row) due.set(id, row.expiresAt);
        return outcome;
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        if (query.principal === undefined) return page;
        return { ...page, records: page.records.filter(({ id }) => (due.get(id) ?? 0) > now) };
      },
    };
  }),
  indexed("R13", "a listing removes index entries whose record is not there yet", (rows, sound, index) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      for (const id of index.get(query.principal ?? "") ?? [])
        if (rows.get(id)?.principal !== query.principal) index.get(query.principal ?? "")?.delete(id);
      return page;
    },
  })),
  indexed("R13", "a listing removes index entries that are expired by its own now", (rows, sound, index) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      for (const id of index.get(query.principal ?? "") ?? [])
        if (rows.has(id) && !isLive(rows.get(id), now)) index.get(query.principal ?? "")?.delete(id);
      return page;
    },
  })),
  indexed("R13", "a create that loses removes the index entry that it wrote", (_, sound, index) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      if (!created) index.get(record.principal ?? "")?.delete(id);
      return created;
    },
  })),
  indexed("R13", "a destroy removes the principal's whole index", (rows, sound, index) => ({
    async destroy(id, now) {
      const old = rows.get(id)?.principal;
      const destroyed = await sound.destroy(id, now);
      if (destroyed) index.delete(old ?? "");
      return destroyed;
    },
  })),
  indexed(
    "R13",
    "a commit that clears a principal removes the principal's whole index",
    (rows, sound, index) => ({
      async commit(id, change, now) {
        const old = rows.get(id)?.principal;
        const outcome = await sound.commit(id, change, now);
        if (change.principal === null) index.delete(old ?? "");
        return outcome;
      },
    }),
  ),
  indexed("R13", "the index holds at most 10 of a principal's records", (_, sound, index) => ({
    async list(query, now) {
      const ids = index.get(query.principal ?? "");
      if (ids && ids.size > 10) index.set(query.principal ?? "", new Set([...ids].slice(-10)));
      return sound.list(query, now);
    },
  })),
  indexed(
    "R13",
    "a listing reads the index first, and does not look at the principal again",
    (rows, sound) => ({
      async list(query, now) {
        if (query.principal === undefined) return sound.list(query, now);
        const mine = [...rows].filter(([, row]) => row.principal === query.principal).map(([id]) => id);
        await yieldToEventLoop();
        await yieldToEventLoop();
        const records = mine.flatMap((id) => {
          const row = rows.get(id);
          return isLive(row, now) ? [{ id, ...copy(row) }] : [];
        });
        return { records };
      },
    }),
  ),
  {
    rule: "R14",
    fault: "all namespaces share one index on principals, and a destroy removes an id from it",
    target() {
      const index: Index = new Map();
      const inner = indexed("R14", "", (rows, sound) => ({
        create(id, record, now) {
          enter(index, record.principal, id);
          return sound.create(id, record, now);
        },
        commit(id, change, now) {
          enter(index, change.principal, id);
          return sound.commit(id, change, now);
        },
        destroy(id, now) {
          if (isLive(rows.get(id), now)) for (const ids of index.values()) ids.delete(id);
          return sound.destroy(id, now);
        },
        async list(query, now) {
          const page = await sound.list(query, now);
          if (query.principal === undefined) return page;
          const ids = index.get(query.principal);
          return { ...page, records: page.records.filter(({ id }) => ids?.has(id) && rows.has(id)) };
        },
      })).target();
      return { ...inner, name: "one index" };
    },
  },
  indexed(
    "R13",
    "a commit removes the old principal's entry late, even if it was entered again",
    (rows, sound, index) => ({
      async commit(id, change, now) {
        const old = rows.get(id)?.principal;
        const outcome = await sound.commit(id, change, now);
        if (outcome !== "committed" || change.principal === undefined || change.principal === old)
          return outcome;
        await yieldToEventLoop();
        if (old !== undefined) index.get(old)?.delete(id);
        return outcome;
      },
    }),
  ),
  indexed(
    "R13",
    "a destroy removes the index entry late, even if the id was created anew",
    (rows, sound, index) => ({
      async destroy(id, now) {
        const old = rows.get(id)?.principal;
        const destroyed = await sound.destroy(id, now);
        await yieldToEventLoop();
        if (destroyed && old !== undefined) index.get(old)?.delete(id);
        return destroyed;
      },
    }),
  ),
  indexed(
    "R13",
    "a sweep removes the principal's whole index with one of its records",
    (rows, sound, index) => ({
      async sweep(range) {
        const before = new Map(rows);
        const swept = await sound.sweep(range);
        for (const [id, { principal }] of before) if (!rows.has(id)) index.delete(principal ?? "");
        return swept;
      },
    }),
  ),
  indexed(
    "R13",
    "a compare-and-set that conflicts removes the index entry that it wrote",
    (_, sound, index) => ({
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "conflict") index.get(change.principal ?? "")?.delete(id);
        return outcome;
      },
    }),
  ),
];
