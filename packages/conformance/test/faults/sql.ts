import { yieldToEventLoop } from "../../src/support.ts";
import { apply, copy, isLive, merge } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, beside } from "./wrap.ts";

const texts = (fields: ReadonlyMap<string, string>) => JSON.stringify([...fields]);

/** The fields of records that are no more. */
const fieldsLeft = beside(() => new Map<string, Map<string, string>>());

/** Faults that SQL invites: upserts, several statements, affected rows. */
export const sqlFaults: Fault[] = [
  fault("R1", "create over a leftover keeps its principal where none is given", (rows, sound) => ({
    create: (id, record, now) =>
      sound.create(id, { ...record, principal: record.principal ?? rows.get(id)?.principal }, now),
  })),
  fault("R1", "create over a leftover replaces its fields only where it has some", (rows, sound) => ({
    create(id, record, now) {
      const left = rows.get(id)?.fields ?? record.fields;
      return sound.create(id, { ...record, fields: record.fields.size > 0 ? record.fields : left }, now);
    },
  })),
  fault("R1", "a create that finds a live record moves its expiry", (rows, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      const row = rows.get(id);
      if (!created && row && row.expiresAt > now + 600_000)
        row.expiresAt = Math.max(row.expiresAt, record.expiresAt);
      return created;
    },
  })),
  fault("R1", "a create that finds a live record counts", (rows, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      const row = rows.get(id);
      if (!created && row) row.version++;
      return created;
    },
  })),
  fault("R1", "a create that finds a live record gives it a principal", (rows, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      const row = rows.get(id);
      if (!created && row) row.principal ??= record.principal;
      return created;
    },
  })),
  fault("R1", "create of what is there already answers true", (rows, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      const row = rows.get(id);
      const same = row?.expiresAt === record.expiresAt && texts(row.fields) === texts(record.fields);
      return created || same;
    },
  })),
  fault("R1", "a create that loses a race rejects with a duplicate key", (rows, sound) => ({
    async create(id, record, now) {
      const there = isLive(rows.get(id), now);
      const created = await sound.create(id, record, now);
      if (!created && !there) throw new Error("duplicate entry for key 'PRIMARY'");
      return created;
    },
  })),
  fault("R1", "create removes a leftover by its id, and then inserts", (rows) => ({
    async create(id, { expiresAt, principal, fields }, now) {
      const given = new Map(fields);
      await yieldToEventLoop();
      const left = rows.has(id) && !isLive(rows.get(id), now);
      await yieldToEventLoop();
      if (!left && isLive(rows.get(id), now)) return false;
      rows.set(id, { version: 1, expiresAt, principal, fields: given });
      return true;
    },
  })),
  fault("R1", "a create that loses a race leaves its fields in the winner's record", (rows, sound) => ({
    async create(id, record, now) {
      const there = isLive(rows.get(id), now);
      const created = await sound.create(id, record, now);
      if (!created && !there) merge(rows.get(id)?.fields ?? new Map(), record.fields);
      return created;
    },
  })),
  fault("R3", "what a commit deletes is a second statement", (rows, sound) => ({
    async commit(id, change, now) {
      const sets = new Map([...change.fields].filter(([, text]) => text !== null));
      if (sets.size === 0 || sets.size === change.fields.size) return sound.commit(id, change, now);
      const deleted = [...change.fields.keys()].filter((name) => !sets.has(name));
      const row = rows.get(id);
      const outcome = await sound.commit(id, { ...change, fields: sets }, now);
      if (outcome !== "committed") return outcome;
      await yieldToEventLoop();
      for (const name of deleted) row?.fields.delete(name);
      return outcome;
    },
  })),
  fault("R3", "the principal is a second statement", (rows, sound) => ({
    async commit(id, { principal, ...change }, now) {
      if (principal === undefined || change.fields.size === 0)
        return sound.commit(id, { ...change, principal }, now);
      const row = rows.get(id);
      const outcome = await sound.commit(id, change, now);
      if (outcome !== "committed") return outcome;
      await yieldToEventLoop();
      if (row) row.principal = principal ?? undefined;
      return outcome;
    },
  })),
  altered("R3", "an expiry is never moved nearer", (change, row, now) => ({
    ...change,
    ...(Number(change.expiresAt) > now + 60_000 &&
      Number(change.expiresAt) < Number(row?.expiresAt) && { expiresAt: undefined }),
  })),
  altered("R4", "an expiry of 0 is taken for none", (change) => ({
    ...change,
    expiresAt: change.expiresAt || undefined,
  })),
  altered("R5", "an ifVersion of 0 is taken for none", (change) => ({
    ...change,
    ifVersion: change.ifVersion || undefined,
  })),
  altered("R3", "a principal that is named as undefined is cleared", (change) => ({
    ...change,
    ...("principal" in change && change.principal === undefined && { principal: null }),
  })),
  altered("R3", "an ifVersion that is named as undefined conflicts", (change) => ({
    ...change,
    ...("ifVersion" in change && change.ifVersion === undefined && { ifVersion: -1 }),
  })),
  fault("R5", "a version that is older than the record's passes", (rows) => ({
    async commit(id, given, now) {
      const change = { ...given, fields: new Map(given.fields) };
      await yieldToEventLoop();
      const row = rows.get(id);
      if (!isLive(row, now)) return "gone";
      const differs = change.ifVersion !== undefined && change.ifVersion !== row.version;
      // With a principal the wrong commit would be in the wrong listing too.
      if (differs && (Number(change.ifVersion) > row.version || change.principal !== undefined))
        return "conflict";
      apply(row, change);
      return "committed";
    },
  })),
  fault("R5", "a conflict still sets the principal", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const row = rows.get(id);
      // Not in every change, or it would be in the wrong listing too.
      const deletes = [...change.fields.values()].includes(null);
      if (outcome === "conflict" && row && change.principal && !deletes) row.principal = change.principal;
      return outcome;
    },
  })),
  fault("R5", "a compare-and-set that lost a race is repeated with the newer version", (rows, sound) => ({
    async commit(id, change, now) {
      const read = rows.get(id)?.version;
      const outcome = await sound.commit(id, change, now);
      if (outcome !== "conflict" || read !== change.ifVersion) return outcome;
      return sound.commit(id, { ...change, ifVersion: rows.get(id)?.version }, now);
    },
  })),
  fault("R4", "a commit writes back the expiry that it read, over the end", (rows, sound) => ({
    async commit(id, change, now) {
      const row = rows.get(id);
      const expiresAt = row?.expiresAt ?? 0;
      const outcome = await sound.commit(id, change, now);
      if (outcome !== "gone" || !row || expiresAt <= now || rows.get(id) !== row) return outcome;
      row.expiresAt = expiresAt;
      apply(row, change);
      return "committed";
    },
  })),
  fault("R4", "a commit that meets a destroy rejects", (rows, sound) => {
    const destroyed = new Set<unknown>();
    return {
      async destroy(id, now) {
        const row = rows.get(id);
        const answer = await sound.destroy(id, now);
        if (answer) destroyed.add(row);
        return answer;
      },
      async commit(id, change, now) {
        const row = rows.get(id);
        const outcome = await sound.commit(id, change, now);
        if (outcome === "gone" && row && destroyed.has(row)) throw new Error("the row has vanished");
        return outcome;
      },
    };
  }),
  fault("R7", "a destroy that loses a race rejects", (rows, sound) => ({
    async destroy(id, now) {
      const there = isLive(rows.get(id), now);
      const destroyed = await sound.destroy(id, now);
      if (there && !destroyed) throw new Error("the row has vanished");
      return destroyed;
    },
  })),
  fault("R7", "destroy takes a record for live at its expiry", (_, sound) => ({
    destroy: (id, now) => sound.destroy(id, now - 1),
  })),
  fault("R3", "load reads the version after the fields", (rows, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      await yieldToEventLoop();
      return record && { ...record, version: rows.get(id)?.version ?? record.version };
    },
  })),
  fault("R3", "load reads the principal after the fields", (rows, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      await yieldToEventLoop();
      const row = rows.get(id);
      if (!record || !row) return record;
      const { principal: _, ...rest } = record;
      return row.principal === undefined ? rest : { ...rest, principal: row.principal };
    },
  })),
  fault("R3", "load reads more than 500 fields in two statements", (rows, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      if (!record || record.fields.size <= 500) return record;
      await yieldToEventLoop();
      const rest = [...(rows.get(id)?.fields ?? record.fields)].slice(500);
      return { ...record, fields: new Map([...[...record.fields].slice(0, 500), ...rest]) };
    },
  })),
  fault("R1", "the fields are in a table of their own, which destroy forgets", (rows, sound) => {
    const orphans = fieldsLeft(rows);
    return {
      async destroy(id, now) {
        const fields = rows.get(id)?.fields;
        const destroyed = await sound.destroy(id, now);
        if (destroyed && fields) orphans.set(id, fields);
        return destroyed;
      },
      create(id, record, now) {
        const fields = new Map([...(orphans.get(id) ?? []), ...record.fields]);
        return sound.create(id, { ...record, fields }, now);
      },
    };
  }),
  fault("R1", "the fields are in a table of their own, which sweep forgets", (rows, sound) => {
    const orphans = fieldsLeft(rows);
    return {
      async sweep(range) {
        const before = new Map(rows);
        const swept = await sound.sweep(range);
        for (const [id, { fields }] of before) if (!rows.has(id)) orphans.set(id, fields);
        return swept;
      },
      create(id, record, now) {
        const fields = new Map([...(orphans.get(id) ?? []), ...record.fields]);
        return sound.create(id, { ...record, fields }, now);
      },
    };
  }),
  fault(
    "R3",
    "a commit that read a record before it was destroyed writes to its successor",
    (rows, sound) => ({
      async commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const row = rows.get(id);
        const read = row && copy(row);
        await yieldToEventLoop();
        await yieldToEventLoop();
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
];
