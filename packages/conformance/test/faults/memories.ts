import type { ListingDriver, ListPage, StoredRecord } from "@sessions/core";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

const indexOf = beside(() => new Map<string, string>());

/** A driver that tells its memory of every record that it sees, creates or ends. */
function minding(
  sound: ListingDriver,
  mind: (id: string, record: StoredRecord | undefined) => void,
): ListingDriver {
  const look = async (id: string): Promise<void> => mind(id, await sound.load(id));
  return {
    ...sound,
    async create(id, record, now) {
      const given = { ...record, fields: new Map(record.fields) };
      const created = await sound.create(id, record, now);
      if (created) mind(id, { version: 1, ...given });
      return created;
    },
    async load(id) {
      const record = await sound.load(id);
      mind(id, record && { ...record, fields: new Map(record.fields) });
      return record;
    },
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      await look(id);
      return outcome;
    },
    async destroy(id, now) {
      const destroyed = await sound.destroy(id, now);
      if (destroyed) mind(id, undefined);
      return destroyed;
    },
    async sweep(range) {
      return sound.sweep(range);
    },
  };
}

/** A fault of a driver that remembers the record that it saw last under each id: live, or missing. */
const remembers = (
  what: string,
  wrong: (memory: Map<string, StoredRecord | undefined>, sound: ListingDriver) => Partial<ListingDriver>,
): Fault =>
  fault("R10", what, (_, sound) => {
    const memory = new Map<string, StoredRecord | undefined>();
    const minded = minding(sound, (id, record) => memory.set(id, record));
    return { ...minded, ...wrong(memory, minded) };
  });

const missing = (memory: Map<string, StoredRecord | undefined>, id: string): boolean =>
  memory.has(id) && memory.get(id) === undefined;

/** Drivers that answer from what they have seen, where only another driver's call shows it: R10. */
export const memoryFaults: Fault[] = [
  remembers(
    "a commit is gone where the record was missing when this driver last looked",
    (memory, sound) => ({
      commit: async (id, change, now) => (missing(memory, id) ? "gone" : sound.commit(id, change, now)),
    }),
  ),
  remembers("only a commit with ifVersion is gone where the record was missing", (memory, sound) => ({
    commit: async (id, change, now) =>
      change.ifVersion !== undefined && missing(memory, id) ? "gone" : sound.commit(id, change, now),
  })),
  remembers("a destroy is false where the record was missing", (memory, sound) => ({
    destroy: async (id, now) => (missing(memory, id) ? false : sound.destroy(id, now)),
  })),
  remembers(
    "a commit is gone where the record had expired when this driver last looked",
    (memory, sound) => ({
      async commit(id, change, now) {
        const known = memory.get(id);
        return known && known.expiresAt <= now ? "gone" : sound.commit(id, change, now);
      },
    }),
  ),
  remembers("a destroy is false where the record had expired", (memory, sound) => ({
    async destroy(id, now) {
      const known = memory.get(id);
      return known && known.expiresAt <= now ? false : sound.destroy(id, now);
    },
  })),
  remembers("create is false where the record was live when this driver last looked", (memory, sound) => ({
    async create(id, record, now) {
      const known = memory.get(id);
      return known && known.expiresAt > now ? false : sound.create(id, record, now);
    },
  })),
  fault("R10", "an ifVersion that is not the version in its last listing is a conflict", (_, sound) => {
    const versions = new Map<string, number>();
    return {
      async commit(id, change, now) {
        const known = versions.get(id);
        versions.delete(id);
        return change.ifVersion !== undefined && known !== undefined && change.ifVersion !== known
          ? "conflict"
          : sound.commit(id, change, now);
      },
      async destroy(id, now) {
        versions.delete(id);
        return sound.destroy(id, now);
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        for (const { id, version, expiresAt } of page.records) if (expiresAt > now) versions.set(id, version);
        return page;
      },
    };
  }),
  remembers("versions only rise, so a lower ifVersion than it saw is a conflict", (memory, sound) => ({
    async commit(id, change, now) {
      const known = memory.get(id);
      const old = change.ifVersion !== undefined && known && change.ifVersion < known.version;
      // A record that has ended is gone for this driver, too.
      const held = old ? await sound.load(id) : undefined;
      return held && held.expiresAt > now ? "conflict" : sound.commit(id, change, now);
    },
  })),
  remembers("a touch to an expiry that the record has already is not sent", (memory, sound) => ({
    async commit(id, change, now) {
      const known = memory.get(id);
      const { fields, principal, ifVersion, expiresAt } = change;
      const same = fields.size === 0 && principal === undefined && ifVersion === undefined;
      return same && known && known.expiresAt > now && known.expiresAt === expiresAt
        ? "committed"
        : sound.commit(id, change, now);
    },
  })),
  remembers("a text that it has seen in the record is not written again", (memory, sound) => ({
    async commit(id, change, now) {
      const known = memory.get(id);
      const fields = new Map(change.fields);
      for (const [name, text] of change.fields)
        if (known?.fields.get(name) === (text ?? undefined) && fields.size > 1) fields.delete(name);
      return sound.commit(id, known ? { ...change, fields } : change, now);
    },
  })),
  remembers("load knows without asking that there is no record", (memory, sound) => ({
    load: async (id) => (missing(memory, id) ? undefined : sound.load(id)),
  })),
  remembers("load asks for the version alone, and keeps the rest where it is the same", (memory, sound) => ({
    async load(id) {
      const known = memory.get(id);
      const record = await sound.load(id);
      return record && known?.version === record.version
        ? { ...known, fields: new Map(known.fields) }
        : record;
    },
  })),
  remembers(
    "a principal's listing names the records by the principal that this driver saw",
    (memory, sound) => ({
      async list(query, now) {
        const page = await sound.list(query, now);
        const records = page.records.filter(
          ({ id }) =>
            query.principal === undefined ||
            (memory.get(id)?.principal ?? query.principal) === query.principal,
        );
        return { ...page, records };
      },
    }),
  ),
  remembers("a listing leaves out what this driver has seen destroyed", (memory, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      return { ...page, records: page.records.filter(({ id }) => !missing(memory, id)) };
    },
  })),
  fault("R10", "a listing's pages are kept until this driver writes", (_, sound) => {
    const pages = new Map<string, ListPage>();
    const fresh =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        const answer = await call(...args);
        pages.clear();
        return answer;
      };
    return {
      create: fresh(sound.create),
      commit: fresh(sound.commit),
      destroy: fresh(sound.destroy),
      sweep: fresh(sound.sweep),
      async list(query, now) {
        const key = JSON.stringify([query, now]);
        const page = pages.get(key) ?? (await sound.list(query, now));
        pages.set(key, page);
        return { ...page, records: page.records.map((each) => ({ ...each, fields: new Map(each.fields) })) };
      },
    };
  }),
  fault("R10", "a principal without sessions is remembered as one until this driver logs in", (_, sound) => {
    const empty = new Map<string, number>();
    const found = new Set<string>();
    const enter = (principal: string | null | undefined) => empty.delete(principal ?? "");
    return {
      async create(id, record, now) {
        enter(record.principal);
        const created = await sound.create(id, record, now);
        enter(record.principal);
        return created;
      },
      async commit(id, change, now) {
        enter(change.principal);
        const outcome = await sound.commit(id, change, now);
        enter(change.principal);
        return outcome;
      },
      async list(query, now) {
        const { principal, cursor } = query;
        if (principal === undefined) return sound.list(query, now);
        if ((empty.get(principal) ?? now + 1) <= now) return { records: [] };
        if (cursor === undefined) found.delete(principal);
        const page = await sound.list(query, now);
        if (page.records.length > 0) found.add(principal);
        if (page.cursor === undefined && !found.has(principal)) empty.set(principal, now);
        return page;
      },
    };
  }),
  fault("R10", "sweep removes by the expiries that this driver knows", (rows, sound) => {
    const expiries = new Map<string, number>();
    const minded = minding(sound, (id, record) =>
      record ? expiries.set(id, record.expiresAt) : expiries.delete(id),
    );
    return {
      ...minded,
      async sweep(range) {
        const known = [...expiries].filter(([, at]) => at >= range.after && at < range.before);
        const chosen = known.slice(0, range.limit).map(([id]) => id);
        for (const id of chosen) expiries.delete(id);
        const removed = chosen.filter((id) => rows.delete(id)).length;
        return removed < range.limit
          ? removed + (await sound.sweep({ ...range, limit: range.limit - removed }))
          : removed;
      },
    };
  }),
  fault("R10", "a load takes the record from the listing that this driver read last", (_, sound) => {
    const listed = new Map<string, StoredRecord>();
    const fresh =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        listed.clear();
        return call(...args);
      };
    return {
      create: fresh(sound.create),
      commit: fresh(sound.commit),
      destroy: fresh(sound.destroy),
      sweep: fresh(sound.sweep),
      async load(id) {
        const known = listed.get(id);
        return known ? { ...known, fields: new Map(known.fields) } : sound.load(id);
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        for (const { id, ...record } of page.records)
          listed.set(id, { ...record, fields: new Map(record.fields) });
        return page;
      },
    };
  }),
  fault("R10", "what this driver has entered into the index, it does not enter again", (rows, sound) => {
    const index = indexOf(rows);
    const entered = new Map<string, string>();
    const enter = (id: string, principal: string | null | undefined) => {
      if (principal === undefined || principal === entered.get(id)) return;
      entered.set(id, principal ?? "");
      if (principal === null) index.delete(id);
      else index.set(id, principal);
    };
    return {
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        if (created) entered.delete(id);
        if (created) enter(id, record.principal ?? null);
        return created;
      },
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "committed") enter(id, change.principal);
        return outcome;
      },
      async list(query, now) {
        const { principal } = query;
        const page = await sound.list(query, now);
        if (principal === undefined) return page;
        return { ...page, records: page.records.filter(({ id }) => index.get(id) === principal) };
      },
    };
  }),
];
