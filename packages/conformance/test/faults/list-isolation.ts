import { yieldToEventLoop } from "../../src/support.ts";
import { copy, isLive, type Rows, type World } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

const orderOfUse = beside(() => new Map<string, number>());

/** Principals that are compared otherwise than byte by byte. */
const folded = (what: string, change: (principal: string) => string): Fault =>
  fault("R13", what, (rows) => ({
    async list({ principal }, now) {
      await yieldToEventLoop();
      const found = [...rows].filter(
        ([, row]) =>
          principal === undefined ||
          (isLive(row, now) && row.principal !== undefined && change(row.principal) === change(principal)),
      );
      return { records: found.map(([id, row]) => ({ id, ...copy(row) })) };
    },
  }));

/** The tables, but for this one, whose names begin with this one's. */
function beginningWith(rows: Rows, world: World): Rows[] {
  const [own] = [...world].find(([, table]) => table === rows) ?? [""];
  return [...world].filter(([name]) => name !== own && name.startsWith(own)).map(([, table]) => table);
}

/** Faults in listing, and in what keeps records apart: R13 and R14. */
export const listAndIsolationFaults: Fault[] = [
  folded("principals that differ in case are one", (principal) => principal.toLowerCase()),
  folded("spaces at a principal's end are ignored", (principal) => principal.trimEnd()),
  folded("principals are compared as patterns", (principal) => principal.replace(/_/g, "i")),
  fault("R13", "only the first page comes", (_, sound) => ({
    list: async (query, now) => ({ records: (await sound.list(query, now)).records }),
  })),
  fault("R13", "an empty page ends the listing", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      return page.records.length > 0 ? page : { records: [] };
    },
  })),
  fault("R13", "pages are counted by offset", (rows) => ({
    async list({ principal, cursor = "0", limit }, now) {
      await yieldToEventLoop();
      const found = [...rows].filter(
        ([, row]) => principal === undefined || (isLive(row, now) && row.principal === principal),
      );
      const records = found
        .slice(Number(cursor), Number(cursor) + limit)
        .map(([id, row]) => ({ id, ...copy(row) }));
      const next = Number(cursor) + limit;
      return { records, ...(next < found.length && { cursor: String(next) }) };
    },
  })),
  fault("R13", "a principal's expired records are listed", (_, sound) => ({
    list: (query, now) => sound.list(query, query.principal === undefined ? now : now - 600_000),
  })),
  fault("R13", "the index keeps a principal that a commit has changed", (rows) => {
    const index = new Map<string, Set<string>>();
    return {
      async list({ principal }, now) {
        await yieldToEventLoop();
        for (const [id, row] of rows)
          if (row.principal !== undefined)
            index.set(row.principal, (index.get(row.principal) ?? new Set()).add(id));
        const ids = principal === undefined ? rows.keys() : (index.get(principal) ?? []);
        const found = [...ids].flatMap((id) => {
          const row = rows.get(id);
          return row &&
            (principal === undefined || isLive(row, now)) &&
            (principal === undefined || row.version > 1 || row.principal === principal)
            ? [{ id, ...copy(row) }]
            : [];
        });
        return { records: found };
      },
    };
  }),
  fault("R13", "the order of a listing is the order of use", (rows, sound) => {
    const order = orderOfUse(rows);
    const use = (id: string) => {
      const last = Math.max(0, ...order.values());
      order.set(id, last + 1);
    };
    return {
      load(id) {
        use(id);
        return sound.load(id);
      },
      create(id, record, now) {
        use(id);
        return sound.create(id, record, now);
      },
      async list({ principal, cursor = "0", limit }, now) {
        await yieldToEventLoop();
        const found = [...order]
          .filter(([, at]) => at > Number(cursor))
          .sort(([, a], [, b]) => a - b)
          .slice(0, limit);
        const records = found.flatMap(([id]) => {
          const row = rows.get(id);
          if (!row || (principal !== undefined && !(isLive(row, now) && row.principal === principal)))
            return [];
          return [{ id, ...copy(row) }];
        });
        const last = found[limit - 1]?.[1];
        return { records, ...(last !== undefined && { cursor: String(last) }) };
      },
    };
  }),

  {
    rule: "R14",
    fault: "what is no letter or digit in a namespace is dropped",
    target() {
      const { open } = fault("R14", "", () => ({})).target();
      return { name: "plain names", open: (namespace) => open(namespace.replace(/[^a-z0-9]/g, "")) };
    },
  },
  fault("R14", "ids are compared as numbers", (_, sound) => {
    const fold = (id: string) => (/^0+\d+(e\d+)?$/.test(id) ? String(Number(id)) : id);
    return {
      create: (id, record, now) => sound.create(fold(id), record, now),
      load: (id) => sound.load(fold(id)),
      commit: (id, change, now) => sound.commit(fold(id), change, now),
      destroy: (id, now) => sound.destroy(fold(id), now),
    };
  }),
  fault("R14", "a sweep scans by a prefix that others begin with", (rows, sound, world) => ({
    async sweep({ after, before, limit }) {
      for (const other of beginningWith(rows, world))
        for (const [id, { expiresAt }] of other)
          if (expiresAt >= after && expiresAt < before) other.delete(id);
      return sound.sweep({ after, before, limit });
    },
  })),
  fault("R14", "a listing scans by a prefix that others begin with", (rows, sound, world) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      const more = beginningWith(rows, world).flatMap((table) =>
        [...table].map(([id, row]) => ({ id, ...copy(row) })),
      );
      return { ...page, records: [...page.records, ...more] };
    },
  })),
  fault("R14", "spaces at a principal's end are lost", (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      return record?.principal === undefined
        ? record
        : { ...record, principal: record.principal.replace(/ +$/, "") };
    },
  })),
];
