import { yieldToEventLoop } from "../../src/support.ts";
import { isLive, merge, type Rows } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

const writes = beside(() => new Map<string, number>());
const graves = beside(() => new Map<string, number>());
const pending = beside(() => new Map<string, number>());
const ghosts = beside(() => new Set<string>());
const strays = beside(() => new Map<string, Map<string, string | null>>());

/** How often an id was created. */
function born(rows: Rows, id: string): number {
  const row = rows.get(id);
  if (!row) return 0;
  const births = birth(rows);
  const known = births.get(row) ?? births.size + 1;
  births.set(row, known);
  return known;
}
const birth = beside(() => new Map<object, number>());

/** Faults in whose clock counts, in what a record that is no more leaves behind, and in sweeping. */
export const clockFaults: Fault[] = [
  fault("R3", "of two commits to a field the one with the later now wins", (rows, sound) => {
    const written = writes(rows);
    return {
      commit(id, change, now) {
        const row = rows.get(id);
        const fields = new Map(change.fields);
        if (isLive(row, now))
          for (const name of change.fields.keys()) {
            const key = `${id} ${name} ${born(rows, id)}`;
            if ((written.get(key) ?? 0) > now) fields.delete(name);
            else written.set(key, now);
          }
        return sound.commit(id, { ...change, fields }, now);
      },
    };
  }),
  fault("R1", "a tombstone hides a record that is created with an earlier now", (rows, sound) => {
    const buried = graves(rows);
    return {
      async destroy(id, now) {
        const destroyed = await sound.destroy(id, now);
        if (destroyed) buried.set(id, now);
        return destroyed;
      },
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        if (created && (buried.get(id) ?? 0) > now) rows.delete(id);
        return created;
      },
    };
  }),
  fault("R1", "the version of a destroyed record counts on in the next", (rows, sound) => {
    const buried = graves(rows);
    return {
      async destroy(id, now) {
        buried.set(id, rows.get(id)?.version ?? 0);
        return sound.destroy(id, now);
      },
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        const row = rows.get(id);
        if (created && row) row.version += buried.get(id) ?? 0;
        return created;
      },
    };
  }),
  fault("R1", "a commit to a record that is not there leaves something that blocks create", (rows, sound) => {
    const left = ghosts(rows);
    return {
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "gone" && !rows.has(id)) left.add(id);
        return outcome;
      },
      create: async (id, record, now) => !left.has(id) && sound.create(id, record, now),
    };
  }),
  fault("R1", "a commit to a record that is not there counts, for the next to have the id", (rows, sound) => {
    const left = writes(rows);
    return {
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "gone" && !rows.has(id) && change.fields.size > 0)
          left.set(id, (left.get(id) ?? 0) + 1);
        return outcome;
      },
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        const row = rows.get(id);
        if (created && row) row.version += left.get(id) ?? 0;
        return created;
      },
    };
  }),
  fault(
    "R1",
    "a commit to a destroyed record leaves its fields for the next to have the id",
    (rows, sound) => {
      const left = strays(rows);
      return {
        async commit(id, change, now) {
          const outcome = await sound.commit(id, change, now);
          if (outcome === "gone" && !rows.has(id))
            left.set(id, new Map([...(left.get(id) ?? []), ...change.fields]));
          return outcome;
        },
        async create(id, record, now) {
          const fields = new Map(record.fields);
          merge(fields, left.get(id) ?? new Map());
          return sound.create(id, { ...record, fields }, now);
        },
      };
    },
  ),
  fault("R4", "a commit that ends a record removes it for callers whose clock is behind", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      if (outcome === "committed" && change.expiresAt !== undefined && change.expiresAt <= now)
        rows.delete(id);
      return outcome;
    },
  })),
  fault("R8", "a sweep that finds nothing rejects", (_, sound) => ({
    async sweep(range) {
      const swept = await sound.sweep(range);
      if (swept === 0) throw new Error("syntax error near 'IN ()'");
      return swept;
    },
  })),
  fault("R8", "two sweeps at once answer the same records", (rows) => ({
    async sweep({ after, before, limit }) {
      const due = (id: string) => {
        const at = rows.get(id)?.expiresAt ?? Number.NaN;
        return at >= after && at < before;
      };
      const found = [...rows.keys()].filter(due).slice(0, limit);
      await yieldToEventLoop();
      for (const id of found) if (due(id)) rows.delete(id);
      return found.length;
    },
  })),
  fault("R8", "two sweeps at once: the one that finds a record removed rejects", (rows) => ({
    async sweep({ after, before, limit }) {
      const due = (id: string) => {
        const at = rows.get(id)?.expiresAt ?? Number.NaN;
        return at >= after && at < before;
      };
      const found = [...rows.keys()].filter(due).slice(0, limit);
      await yieldToEventLoop();
      for (const id of found) if (!rows.has(id)) throw new Error("ENOENT: no such file");
      return found.filter((id) => due(id) && rows.delete(id)).length;
    },
  })),
  fault("R8", "sweep removes one more than its limit", (_, sound) => ({
    sweep: (range) => sound.sweep({ ...range, limit: range.limit + 1 }),
  })),
  fault("R8", "sweep rounds `before` up to a second", (_, sound) => ({
    sweep: (range) => sound.sweep({ ...range, before: Math.ceil(range.before / 1000) * 1000 }),
  })),
  fault("R8", "sweep rounds `after` down to a second", (_, sound) => ({
    sweep: (range) => sound.sweep({ ...range, after: Math.floor(range.after / 1000) * 1000 }),
  })),
  fault("R8", "sweep takes the backend's clock for `before`", (_, sound) => ({
    sweep: (range) => sound.sweep({ ...range, before: Math.max(range.before, Date.now()) }),
  })),
  fault("R2", "a load of what is not there answers another record that is being loaded", (rows, sound) => {
    const busy = pending(rows);
    return {
      async load(id) {
        busy.set(id, (busy.get(id) ?? 0) + 1);
        const other = [...busy].find(([key, count]) => key !== id && count > 0)?.[0];
        const answer = await sound.load(other !== undefined && !rows.has(id) ? other : id);
        busy.set(id, (busy.get(id) ?? 1) - 1);
        return answer;
      },
    };
  }),
];
