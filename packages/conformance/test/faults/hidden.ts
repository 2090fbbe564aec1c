import { type Fault, fault } from "./fault.ts";
import { beside, counted, indexed } from "./wrap.ts";

const touched = beside(() => new Map<string, number>());

/** Faults that hid for long: each needs one certain order of calls. */
export const hiddenFaults: Fault[] = [
  fault("R10", "a driver remembers what it has destroyed", (_, sound) => {
    const gone = new Set<string>();
    return {
      load: async (id) => (gone.has(id) ? undefined : sound.load(id)),
      commit: async (id, change, now) => (gone.has(id) ? "gone" : sound.commit(id, change, now)),
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        gone.delete(id);
        return created;
      },
      async destroy(id, now) {
        if (gone.has(id)) return false;
        const destroyed = await sound.destroy(id, now);
        if (destroyed) gone.add(id);
        return destroyed;
      },
    };
  }),
  fault("R10", "create believes its own memory of an id that another driver destroyed", (_, sound) => {
    const live = new Map<string, number>();
    return {
      async create(id, record, now) {
        if ((live.get(id) ?? 0) > now) return false;
        const created = await sound.create(id, record, now);
        if (created) live.set(id, record.expiresAt);
        return created;
      },
      async commit(id, change, now) {
        live.delete(id);
        return sound.commit(id, change, now);
      },
      async destroy(id, now) {
        live.delete(id);
        return sound.destroy(id, now);
      },
    };
  }),
  counted("the version is one signed byte", (_, before) => (before.version >= 127 ? -1 : 0)),
  fault("R13", "two listings at once share a cursor", (_, sound) => {
    let at: string | undefined;
    return {
      async list(query, now) {
        const { cursor: _, ...rest } = query;
        const page = await sound.list(query.cursor === undefined ? rest : { ...rest, cursor: at ?? "" }, now);
        at = page.cursor;
        return page;
      },
    };
  }),
  fault("R3", "a touch with an earlier now than the last one's is dropped", (rows, sound) => {
    const written = touched(rows);
    return {
      async commit(id, change, now) {
        const late = now < (written.get(id) ?? 0) && change.fields.size === 0;
        const outcome = await sound.commit(id, late ? { ...change, expiresAt: undefined } : change, now);
        if (outcome === "committed" && !late) written.set(id, now);
        return outcome;
      },
    };
  }),
  indexed("R13", "a commit that compares does not write the index", (_, sound, index) => ({
    async commit(id, change, now) {
      const { principal, ifVersion } = change;
      const there = principal && index.get(principal)?.has(id);
      const outcome = await sound.commit(id, change, now);
      if (principal && ifVersion !== undefined && !there) index.get(principal)?.delete(id);
      return outcome;
    },
  })),
  indexed("R13", "a commit that deletes fields does not write the index", (_, sound, index) => ({
    async commit(id, change, now) {
      const { principal, fields } = change;
      const there = principal && index.get(principal)?.has(id);
      const outcome = await sound.commit(id, change, now);
      if (principal && [...fields.values()].includes(null) && !there) index.get(principal)?.delete(id);
      return outcome;
    },
  })),
  fault("R8", "sweep ends records that it has no room for in its limit", (rows, sound) => ({
    async sweep(range) {
      const swept = await sound.sweep(range);
      for (const row of rows.values())
        if (row.expiresAt >= range.after && row.expiresAt < range.before) row.fields.clear();
      return swept;
    },
  })),
];
