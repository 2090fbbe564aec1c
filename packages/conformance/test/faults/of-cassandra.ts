import { yieldToEventLoop } from "../../src/support.ts";
import { copy, counts, isLive } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, beside } from "./wrap.ts";

const cells = beside(() => new Map<string, number>());
const graves = beside(() => new Map<string, number>());
const lightweight = beside(() => new Map<string, number>());
const ends = beside(() => new Map<string, Map<string, number>>());

/** One call after the other within a driver, as within one data centre. */
function oneByOne(): <T>(call: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (call) => {
    const next = last.then(call, call);
    last = next.catch(() => {});
    return next;
  };
}

/** A number that orders ids otherwise than their letters do. */
const token = (id: string): string => [...id].reverse().join("");

/** Several fields that one statement binds. */
const one = ({ size }: ReadonlyMap<string, unknown>): boolean => size >= 10 && size < 100;

/** Empty texts that are no values where several are bound at once. */
const emptied = (what: string, where: "create" | "commit"): Fault =>
  fault("R9", what, (_, sound) => ({
    create(id, { fields, ...record }, now) {
      const bound = [...fields].filter(([, text]) => where === "commit" || !one(fields) || text !== "");
      return sound.create(id, { ...record, fields: new Map(bound) }, now);
    },
    commit(id, { fields, ...change }, now) {
      const bound = [...fields].map(
        ([name, text]) => [name, where === "commit" && one(fields) ? text || null : text] as const,
      );
      return sound.commit(id, { ...change, fields: new Map(bound) }, now);
    },
  }));

/** What a driver over Cassandra does wrong: times that callers give, tombstones, lives of cells, pages. */
export const cassandraFaults: Fault[] = [
  fault("R3", "of two principals the one with the later now wins", (rows, sound) => {
    const written = cells(rows);
    return {
      commit(id, change, now) {
        if (change.principal === undefined || !isLive(rows.get(id), now))
          return sound.commit(id, change, now);
        const late = (written.get(id) ?? 0) > now;
        if (!late) written.set(id, now);
        return sound.commit(
          id,
          late ? { ...change, principal: rows.get(id)?.principal ?? null } : change,
          now,
        );
      },
    };
  }),
  fault("R3", "a deletion hides what is written with the same now", (rows, sound) => {
    const buried = graves(rows);
    return {
      commit(id, change, now) {
        const fields = new Map(change.fields);
        if (isLive(rows.get(id), now))
          for (const [name, text] of fields) {
            const key = `${id} ${name}`;
            if (text === null) buried.set(key, now);
            else if (buried.get(key) === now) fields.set(name, null);
          }
        return sound.commit(id, { ...change, fields }, now);
      },
    };
  }),
  fault("R7", "a destroy by a caller whose clock is behind the last write removes nothing", (rows, sound) => {
    const written = cells(rows);
    return {
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "committed") written.set(id, now);
        return outcome;
      },
      async destroy(id, now) {
        if (isLive(rows.get(id), now) && (written.get(id) ?? 0) > now) return true;
        return sound.destroy(id, now);
      },
    };
  }),
  fault(
    "R1",
    "a create by a caller whose clock is behind the destroy is true, and hidden in part",
    (rows, sound) => {
      const buried = graves(rows);
      return {
        async destroy(id, now) {
          const destroyed = await sound.destroy(id, now);
          if (destroyed) buried.set(id, now);
          return destroyed;
        },
        async create(id, record, now) {
          const created = await sound.create(id, record, now);
          if (created && (buried.get(id) ?? 0) > now) rows.get(id)?.fields.clear();
          return created;
        },
      };
    },
  ),
  fault("R5", "a lightweight transaction does not see the plain writes beside it", (rows, sound) => {
    const paxos = lightweight(rows);
    return {
      async commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const { ifVersion, ...plain } = change;
        if (ifVersion === undefined) return sound.commit(id, change, now);
        const equal = rows.get(id)?.version === ifVersion;
        const ballot = paxos.get(id) ?? 0;
        await yieldToEventLoop();
        const row = rows.get(id);
        if (!equal || !isLive(row, now) || (paxos.get(id) ?? 0) !== ballot)
          return sound.commit(id, change, now);
        paxos.set(id, ballot + 1);
        const outcome = await sound.commit(id, plain, now);
        if (outcome === "committed" && !counts(plain)) row.version++;
        return outcome;
      },
    };
  }),
  fault("R3", "fields end with the life that the record had when they were written", (rows, sound) => {
    const lives = ends(rows);
    return {
      async create(id, record, now) {
        const names = [...record.fields.keys()];
        const created = await sound.create(id, record, now);
        if (created) lives.set(id, new Map(names.map((name) => [name, record.expiresAt])));
        return created;
      },
      async commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const row = rows.get(id);
        const of = lives.get(id);
        if (isLive(row, now) && of)
          for (const [name, end] of of) if (end <= now && !change.fields.has(name)) row.fields.delete(name);
        const outcome = await sound.commit(id, change, now);
        if (outcome === "committed" && row)
          for (const name of change.fields.keys()) of?.set(name, row.expiresAt);
        return outcome;
      },
    };
  }),
  fault(
    "R8",
    "fields end with the life that they were written with, by the backend's clock",
    (rows, sound) => {
      const lives = ends(rows);
      return {
        async create(id, record, now) {
          const names = [...record.fields.keys()];
          const created = await sound.create(id, record, now);
          if (created) lives.set(id, new Map(names.map((name) => [name, record.expiresAt])));
          return created;
        },
        async commit(id, change, now) {
          const names = [...change.fields.keys()];
          const outcome = await sound.commit(id, change, now);
          const row = rows.get(id);
          if (outcome === "committed" && row)
            for (const name of names) lives.get(id)?.set(name, row.expiresAt);
          return outcome;
        },
        async load(id) {
          const record = await sound.load(id);
          const clock = Date.now();
          const of = lives.get(id);
          if (!record || record.expiresAt <= clock) return record;
          const fields = new Map([...record.fields].filter(([name]) => (of?.get(name) ?? clock + 1) > clock));
          return { ...record, fields };
        },
      };
    },
  ),
  emptied("an empty text of several is null, in commit", "commit"),
  emptied("an empty text of several is null, in create", "create"),
  fault("R13", "a page begins with the last record of the page before", (rows, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      const row = rows.get(query.cursor ?? "");
      const again = isLive(row, now) && (query.principal === undefined || row.principal === query.principal);
      const last = query.cursor !== undefined && again ? [{ id: query.cursor, ...copy(row) }] : [];
      return { ...page, records: [...last, ...page.records] };
    },
  })),
  fault("R13", "pages come in the order of tokens, and continue after an id", (rows) => ({
    async list({ principal, cursor = "", limit }, now) {
      await yieldToEventLoop();
      const page = [...rows]
        .filter(([id]) => id > cursor)
        .sort(([a], [b]) => (token(a) < token(b) ? -1 : 1))
        .slice(0, limit);
      const last = page[limit - 1]?.[0];
      const records = page
        .filter(([, row]) => principal === undefined || (isLive(row, now) && row.principal === principal))
        .map(([id, row]) => ({ id, ...copy(row) }));
      return { records, ...(last !== undefined && { cursor: last }) };
    },
  })),
  altered("R3", "a change that sets 1,000 fields is a new map, and buries the old one", (change, row) => {
    const fields = new Map(change.fields);
    if (row && fields.size >= 1_000)
      for (const name of row.fields.keys()) if (!fields.has(name)) fields.set(name, null);
    return { ...change, fields };
  }),
  fault("R1", "creates are serialised within one data centre", (rows, sound) => {
    const queue = oneByOne();
    return {
      create(id, given, now) {
        const record = { ...given, fields: new Map(given.fields) };
        return queue(async () => {
          const taken = isLive(rows.get(id), now);
          await yieldToEventLoop();
          if (taken) return false;
          rows.set(id, {
            version: 1,
            expiresAt: record.expiresAt,
            principal: record.principal,
            fields: record.fields,
          });
          return true;
        });
      },
      load: (id) => sound.load(id),
    };
  }),
  fault("R7", "destroys are serialised within one data centre", (rows) => {
    const queue = oneByOne();
    return {
      destroy: (id, now) =>
        queue(async () => {
          const there = isLive(rows.get(id), now);
          await yieldToEventLoop();
          return there && (rows.delete(id) || true);
        }),
    };
  }),
  fault("R5", "compare-and-sets are serialised within one data centre", (rows, sound) => {
    const queue = oneByOne();
    return {
      commit(id, given, now) {
        const change = { ...given, fields: new Map(given.fields) };
        const { ifVersion, ...plain } = change;
        if (ifVersion === undefined) return sound.commit(id, change, now);
        return queue(async () => {
          const row = rows.get(id);
          if (row?.version !== ifVersion || !isLive(row, now)) return sound.commit(id, change, now);
          await yieldToEventLoop();
          const outcome = await sound.commit(id, plain, now);
          if (outcome === "committed" && !counts(plain)) row.version++;
          return outcome;
        });
      },
    };
  }),
];
