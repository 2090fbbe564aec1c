import { SessionTooLargeError, type StoredRecord } from "@sessions/core";
import { turn } from "../../src/support.ts";
import { copy, counts } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { ordered } from "./pages.ts";
import { altered, beside, counted, enter, indexed } from "./wrap.ts";

const touched = beside(() => new Map<string, number>());

/** Faults that the kit does not catch, or not in every run; above each what would show it. */
export const uncaughtFaults: Fault[] = [
  // 130 commits one after the other, each with a field: the version is 131.
  counted("the version is one signed byte", (_, before) => (before.version >= 127 ? -1 : 0)),
  // Between two pages a login moves a record to before the cursor.
  ordered(
    "the order of a listing is the order of principals",
    (id, { principal = "" }) => `${principal} ${id}`,
  ),
  // Two listings with a limit of 1, page by page in turn.
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
  // In one tick a commit from A to B and one back to A; then the listing of A.
  indexed(
    "R13",
    "a commit removes the old principal's entry late, even if it was entered again",
    (rows, sound, index) => ({
      async commit(id, change, now) {
        const old = rows.get(id)?.principal;
        const outcome = await sound.commit(id, change, now);
        if (outcome !== "committed" || change.principal === undefined || change.principal === old)
          return outcome;
        await turn();
        if (old !== undefined) index.get(old)?.delete(id);
        return outcome;
      },
    }),
  ),
  // Destroy and create, same id and principal, in one tick; then the principal's listing.
  indexed(
    "R13",
    "a destroy removes the index entry late, even if the id was created anew",
    (rows, sound, index) => ({
      async destroy(id, now) {
        const old = rows.get(id)?.principal;
        const destroyed = await sound.destroy(id, now);
        await turn();
        if (destroyed && old !== undefined) index.get(old)?.delete(id);
        return destroyed;
      },
    }),
  ),
  // A live and an expired record of one principal, a sweep, the principal's listing. Stories show it now and then.
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
  // 1 MiB of quotes, of control characters, and of characters beyond the basic plane.
  fault("R9", "a text is refused whose escaped form is larger than 2 MiB", (_, sound) => ({
    async commit(id, change, now) {
      if ([...change.fields.values()].some((text) => JSON.stringify(text).length > 2 << 20))
        throw new SessionTooLargeError("too large");
      return sound.commit(id, change, now);
    },
  })),
  // ifVersion and a deletion in one commit, then load. Stories show it now and then.
  altered("R3", "a change that compares deletes nothing", (change) =>
    change.ifVersion === undefined
      ? change
      : {
          ...change,
          fields: new Map([...change.fields].filter(([, text]) => text !== null)),
        },
  ),
  // ifVersion, a field and a later expiry in one commit, then load. Stories show it now and then.
  altered("R3", "a change that compares does not move the expiry", (change, _, now) =>
    change.ifVersion !== undefined && Number(change.expiresAt) > now
      ? { ...change, expiresAt: undefined }
      : change,
  ),
  // A load, a commit that is acknowledged while it is out, and a second load that must see the commit.
  fault("R2", "a load joins one that is under way", (_, sound) => {
    const loads = new Map<string, Promise<StoredRecord | undefined>>();
    return {
      async load(id) {
        const begun =
          loads.get(id) ??
          sound.load(id).then(async (record) =>
            turn()
              .then(() => turn())
              .then(() => record),
          );
        loads.set(id, begun);
        const record = await begun;
        loads.delete(id);
        return record && { ...record, fields: new Map(record.fields) };
      },
    };
  }),
  // No clause says it. Commit, then compare the Map that was given.
  fault("R2", "commit empties the Map that it was given", (_, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      if (change.fields instanceof Map) change.fields.clear();
      return outcome;
    },
  })),
  // No clause says it. Create, then compare the Map that was given.
  fault("R2", "create empties the Map that it was given", (_, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      if (record.fields instanceof Map) record.fields.clear();
      return created;
    },
  })),
  // A touch with now, then one with a now before that: the second shows.
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
  // A compare-and-set of a stale version with the principal that the record has; then its listing. Stories show it mostly.
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
  // A touch by 1 ms, then load. Histories show it now and then.
  altered("R2", "an expiry that moves by less than 10 ms is not written", (change, row, now) => ({
    ...change,
    ...(Number(change.expiresAt) > now &&
      Math.abs(Number(change.expiresAt) - Number(row?.expiresAt)) < 10 && { expiresAt: undefined }),
  })),
  // Commit, destroy and create of one id in one tick, and in every other order, the record at version 1.
  fault(
    "R4",
    "a commit that read a record before it was destroyed writes to its successor",
    (rows, sound) => ({
      async commit(id, change, now) {
        const row = rows.get(id);
        const read = row && copy(row);
        await turn();
        await turn();
        const outcome = await sound.commit(id, change, now);
        const next = rows.get(id);
        if (
          outcome === "committed" &&
          row &&
          read &&
          next &&
          next !== row &&
          next.version === read.version + 1
        )
          for (const [name, text] of read.fields) if (!change.fields.has(name)) next.fields.set(name, text);
        return outcome;
      },
    }),
  ),
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
];
