import { turn } from "../../src/support.ts";
import { counts } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, beside, counted, enter, indexed } from "./wrap.ts";

const touched = beside(() => new Map<string, number>());

/** Faults that the kit does not catch, or not in every run, or under other rules too; above each what would show it. */
export const uncaughtFaults: Fault[] = [
  // 130 commits one after the other, each with a field: the version is 131.
  counted("the version is one signed byte", (_, before) => (before.version >= 127 ? -1 : 0)),
  // Two listings at once that are out of step: in step each has the same cursor as the other.
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
  // A listing in the tick of the acknowledgement; here the kit's own turns are as long as the index needs.
  indexed("R13", "the index is written when the commit has been acknowledged", (rows, sound, index) => ({
    async commit(id, { principal, ...change }, now) {
      if (principal === undefined) return sound.commit(id, change, now);
      const before = new Map([...index].map(([name, ids]) => [name, new Set(ids)]));
      const outcome = await sound.commit(id, { ...change, principal }, now);
      if (!before.get(principal ?? "")?.has(id)) index.get(principal ?? "")?.delete(id);
      void turn().then(() => enter(index, rows.get(id)?.principal, id));
      return outcome;
    },
  })),
  // No clause says it. Commit, then compare the Map that was given.
  fault("R2", "commit empties the Map that it was given", (_, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      if (change.fields instanceof Map) change.fields.clear();
      return outcome;
    },
  })),
  // No clause says it, though R2.6 and a dozen others stumble over it. Create, then compare the Map that was given.
  fault("R2", "create empties the Map that it was given", (_, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      if (record.fields instanceof Map) record.fields.clear();
      return created;
    },
  })),
  // A touch with now, then one with a now before that: the second shows. R3.15 asks with fields alone.
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
  // A create and loads in one tick, some turns apart: undefined or the whole record. Histories missed it once in 40 runs.
  fault("R1", "a reader sees a new record before its fields", (rows, sound) => ({
    async create(id, record, now) {
      const given = new Map(record.fields);
      const created = await sound.create(id, { ...record, fields: new Map() }, now);
      const row = rows.get(id);
      if (created) await turn();
      for (const [name, text] of given)
        if (created && row && !row.fields.has(name)) row.fields.set(name, text);
      return created;
    },
  })),
  // A commit with a field and a touch in one tick, in both orders, then load. Histories missed it once in 40 runs.
  fault("R3", "a commit writes back the expiry that it read, over a later touch", (rows, sound) => ({
    async commit(id, change, now) {
      const row = rows.get(id);
      const expiresAt = row?.expiresAt ?? 0;
      const outcome = await sound.commit(id, change, now);
      if (outcome === "committed" && row && counts(change) && row.expiresAt > now)
        row.expiresAt = change.expiresAt ?? expiresAt;
      return outcome;
    },
  })),
  // A destroy and loads in one tick, some turns apart: undefined or the whole record. Histories missed it 3 times in 40 runs.
  fault("R3", "a load that meets a destroy answers a record without fields", (rows, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      await turn();
      return record && !rows.has(id) ? { ...record, fields: new Map() } : record;
    },
  })),
  // ifVersion and a new principal in one commit, then that principal's listing. Stories missed it 21 times in 40 runs.
  indexed("R13", "a commit that compares does not write the index", (_, sound, index) => ({
    async commit(id, change, now) {
      const { principal, ifVersion } = change;
      const there = principal && index.get(principal)?.has(id);
      const outcome = await sound.commit(id, change, now);
      if (principal && ifVersion !== undefined && !there) index.get(principal)?.delete(id);
      return outcome;
    },
  })),
  // A deletion and a new principal in one commit, then that principal's listing. Stories missed it 10 times in 40 runs.
  indexed("R13", "a commit that deletes fields does not write the index", (_, sound, index) => ({
    async commit(id, change, now) {
      const { principal, fields } = change;
      const there = principal && index.get(principal)?.has(id);
      const outcome = await sound.commit(id, change, now);
      if (principal && [...fields.values()].includes(null) && !there) index.get(principal)?.delete(id);
      return outcome;
    },
  })),
  // Two leftovers, a sweep with a limit of 1, and the other as it was for callers whose clock is behind. Stories missed it once in 40 runs.
  fault("R8", "sweep ends records that it has no room for in its limit", (rows, sound) => ({
    async sweep(range) {
      const swept = await sound.sweep(range);
      for (const row of rows.values())
        if (row.expiresAt >= range.after && row.expiresAt < range.before) row.fields.clear();
      return swept;
    },
  })),
  // R2.1 shows it, but histories say R3.12 as well, in 7 of 20 runs.
  altered("R2", "an expiry that moves by less than 10 ms is not written", (change, row, now) => ({
    ...change,
    ...(Number(change.expiresAt) > now &&
      Math.abs(Number(change.expiresAt) - Number(row?.expiresAt)) < 10 && { expiresAt: undefined }),
  })),
];
