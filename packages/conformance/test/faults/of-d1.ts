import { yieldToEventLoop } from "../../src/support.ts";
import { copy, isLive, type Row } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, beside } from "./wrap.ts";

const pages = beside(() => new Map<string, Row>());
const statements = beside(() => ({ changes: 0 }));
const logins = beside(() => new Set<string>());
const bookmarks = beside(() => ({ snapshot: new Map<string, ReturnType<typeof copy>>() }));
/** The most parameters of a statement. */
const PARAMETERS = 100;
const bytes = (text: string) => Buffer.byteLength(text);

/** What a driver over Cloudflare D1 does wrong: limits, counts, batches, replicas. */
export const d1Faults: Fault[] = [
  fault("R9", "a create is a batch of five statements of 100 fields, and the rest is lost", (_, sound) => ({
    create: (id, record, now) =>
      sound.create(id, { ...record, fields: new Map([...record.fields].slice(0, 5 * PARAMETERS)) }, now),
  })),
  fault("R8", "a sweep names 100 ids in its statement, and counts all that it found", (rows, sound) => {
    const left = pages(rows);
    return {
      async sweep(range) {
        left.clear();
        for (const [id, row] of rows) left.set(id, row);
        const swept = await sound.sweep(range);
        const removed = [...left].filter(([id]) => !rows.has(id));
        for (const [id, row] of removed.slice(PARAMETERS)) rows.set(id, row);
        return swept;
      },
    };
  }),
  fault("R13", "the fields of a page's first 100 records are read, and the others have none", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      const records = page.records.map((record, i) =>
        i < PARAMETERS ? record : { ...record, fields: new Map<string, string>() },
      );
      return { ...page, records };
    },
  })),
  fault("R13", "a principal of more than 50 bytes is too long a pattern", (_, sound) => ({
    async list(query, now) {
      if (bytes(query.principal ?? "") > 50) throw new Error("LIKE or GLOB pattern too complex");
      return sound.list(query, now);
    },
  })),
  fault(
    "R4",
    "a compare-and-set to an expired record has the count of the statement before it",
    (rows, sound) => {
      const last = statements(rows);
      return {
        async create(id, record, now) {
          const created = await sound.create(id, record, now);
          last.changes = Number(created);
          return created;
        },
        async commit(id, change, now) {
          const outcome = await sound.commit(id, change, now);
          if (outcome === "committed") last.changes = 1;
          const other = outcome === "gone" && change.ifVersion !== undefined && rows.has(id);
          return other && last.changes > 0 ? "committed" : outcome;
        },
      };
    },
  ),
  fault("R7", "a destroy counts the rows of the index too, and two are not one", (rows, sound) => {
    const moved = logins(rows);
    return {
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "committed" && typeof change.principal === "string") moved.add(id);
        return outcome;
      },
      destroy: async (id, now) => (await sound.destroy(id, now)) && !moved.has(id),
    };
  }),
  altered("R3", "a change of more than 100 fields replaces them all", (change, row) => {
    const fields = new Map(change.fields);
    if (row && fields.size > PARAMETERS)
      for (const name of row.fields.keys()) if (!fields.has(name)) fields.set(name, null);
    return { ...change, fields };
  }),
  fault("R13", "a listing reads from the replica as it was at the listing before", (rows, sound) => {
    const state = bookmarks(rows);
    return {
      async list(query, now) {
        const page = await sound.list(query, now);
        const records = page.records.map(({ id, ...record }) => {
          const old = state.snapshot.get(id);
          return { id, ...record, expiresAt: old?.expiresAt ?? record.expiresAt };
        });
        state.snapshot = new Map([...rows].map(([id, row]) => [id, copy(row)]));
        return { ...page, records };
      },
    };
  }),
  fault(
    "R1",
    "a create whose batch fails at its second statement leaves the row without fields",
    (rows, sound) => {
      let creating = 0;
      return {
        async create(id, given, now) {
          const record = { ...given, fields: new Map(given.fields) };
          const before = creating++;
          const free = !isLive(rows.get(id), now);
          try {
            const created = await sound.create(id, record, now);
            await yieldToEventLoop();
            if (!created && free && before > 0) rows.get(id)?.fields.clear();
            return created;
          } finally {
            creating--;
          }
        },
      };
    },
  ),
];
