import type { StoredRecord } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import { copy, isLive, type Row } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

/** Principals of a listing that are compared otherwise than byte by byte. */
const compared = (what: string, same: (theirs: string, asked: string) => boolean): Fault =>
  fault("R13", what, (rows, sound) => ({
    async list(query, now) {
      const { principal } = query;
      if (principal === undefined) return sound.list(query, now);
      await yieldToEventLoop();
      const found = [...rows].filter(
        ([, row]) => isLive(row, now) && row.principal !== undefined && same(row.principal, principal),
      );
      return { records: found.map(([id, row]) => ({ id, ...copy(row) })) };
    },
  }));

/** A listing in an order of its own, of which the cursor is the last one's place. */
const ordered = (what: string, place: (id: string, row: Row) => string): Fault =>
  fault("R13", what, (rows) => ({
    async list({ principal, cursor = "", limit }, now) {
      await yieldToEventLoop();
      const page = [...rows]
        .filter(([id, row]) => place(id, row) > cursor)
        .sort(([a, one], [b, other]) => (place(a, one) < place(b, other) ? -1 : 1))
        .slice(0, limit);
      const records = page
        .filter(([, row]) => principal === undefined || (isLive(row, now) && row.principal === principal))
        .map(([id, row]) => ({ id, ...copy(row) }));
      const last = page[limit - 1];
      return { records, ...(last && { cursor: place(...last) }) };
    },
  }));

const plain = (principal: string) => principal.normalize("NFD").replace(/\p{M}/gu, "");
const padded = (time: number) => String(time).padStart(16, "0");

const writing = beside(() => new Set<string>());
const projected = beside(() => new Map<string, StoredRecord>());

/** Faults in comparing principals and in going through pages. */
export const pageFaults: Fault[] = [
  compared("principals that differ in accents are one", (a, b) => plain(a) === plain(b)),
  compared("principals are normalised where they are compared", (a, b) => a.normalize() === b.normalize()),
  compared("principals that spell one number are one", (a, b) => a === b || Number(a) === Number(b)),
  compared(
    "principals are compared by their first 32 characters",
    (a, b) => a.slice(0, 32) === b.slice(0, 32),
  ),
  compared("a principal's listing scans by a prefix", (a, b) => a.startsWith(b)),
  compared("a principal's listing scans by a prefix and a colon", (a, b) => a === b || a.startsWith(`${b}:`)),
  compared("a principal's listing is a pattern with %", (a, b) =>
    b.includes("%") ? a.startsWith(b.split("%")[0] ?? "") : a === b,
  ),
  compared(
    "principals are compared in latin1",
    (a, b) => Buffer.from(a, "latin1").toString() === Buffer.from(b, "latin1").toString(),
  ),
  fault("R13", "a principal that an object has anyway cannot be listed", (_, sound) => ({
    async list(query, now) {
      const index: Record<string, string[]> = {};
      if (query.principal !== undefined && query.principal in index) return { records: [] };
      return sound.list(query, now);
    },
  })),
  fault("R13", "a principal's listing ends at a slash in its name", (_, sound) => ({
    list: async (query, now) => (query.principal?.includes("/") ? { records: [] } : sound.list(query, now)),
  })),
  fault(
    "R13",
    "a principal whose escaped name is longer than a file's may be cannot be listed",
    (_, sound) => ({
      async list(query, now) {
        if (encodeURIComponent(query.principal ?? "").length > 255) throw new Error("ENAMETOOLONG");
        return sound.list(query, now);
      },
    }),
  ),
  ordered("records of one expiry that the end of a page parts are passed over", (_, { expiresAt }) =>
    padded(expiresAt),
  ),
  ordered("the order of a listing is the order of expiry", (id, { expiresAt }) => padded(expiresAt) + id),
  ordered("the order of a listing is the order of versions", (id, { version }) => padded(version) + id),
  fault("R13", "a page holds at most 100, whatever the cursor says", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      return { ...page, records: page.records.slice(0, 100) };
    },
  })),
  fault("R13", "a page holds at most 1 MiB, whatever the cursor says", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      let bytes = 0;
      const fits = page.records.filter(({ fields }) => {
        for (const [name, text] of fields) bytes += name.length + text.length;
        return bytes <= 1 << 20;
      });
      return { ...page, records: fits };
    },
  })),
  fault("R13", "the cursor names the next record, and is passed over", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list({ ...query, limit: query.limit + 1 }, now);
      return { ...page, records: page.records.filter(({ id }) => id !== page.cursor) };
    },
  })),
  fault("R13", "a listing ends where the record of its cursor was destroyed", (rows, sound) => ({
    async list(query, now) {
      if (query.cursor !== undefined && !rows.has(query.cursor)) return { records: [] };
      return sound.list(query, now);
    },
  })),
  fault("R13", "a listing rejects where the record of its cursor was destroyed", (rows, sound) => ({
    async list(query, now) {
      if (query.cursor !== undefined && !rows.has(query.cursor)) throw new Error("cursor not found");
      return sound.list(query, now);
    },
  })),
  fault("R13", "a record that is destroyed while a listing reads it fails the listing", (rows, sound) => ({
    async list(query, now) {
      const there = [...rows.keys()];
      const page = await sound.list(query, now);
      if (there.some((id) => !rows.has(id))) throw new Error("ENOENT: no such file");
      return page;
    },
  })),
  fault("R13", "a listing finds no record that is just being written", (rows, sound) => {
    const busy = writing(rows);
    return {
      async commit(id, change, now) {
        busy.add(id);
        const outcome = await sound.commit(id, change, now);
        busy.delete(id);
        return outcome;
      },
      async list(query, now) {
        const hidden = new Set(busy);
        const page = await sound.list(query, now);
        return { ...page, records: page.records.filter(({ id }) => !hidden.has(id)) };
      },
    };
  }),
  fault("R13", "a principal's listing takes a record for live at its expiry", (_, sound) => ({
    list: (query, now) => sound.list(query, now - 1),
  })),
  fault("R13", "a principal's listing judges by the backend's clock", (_, sound) => ({
    list: (query) => sound.list(query, Date.now()),
  })),
  fault("R13", "a listing of nothing rejects", (rows, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      if (rows.size === 0) throw new Error("syntax error near ')'");
      return page;
    },
  })),
  fault("R13", "a listing answers records as they were created", (rows, sound) => {
    const copies = projected(rows);
    return {
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        if (created) copies.set(id, { version: 1, ...record, fields: new Map(record.fields) });
        return created;
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        return { ...page, records: page.records.map((record) => ({ ...record, ...copies.get(record.id) })) };
      },
    };
  }),
  fault("R13", "a principal's listing answers fields as they were at its last login", (rows, sound) => {
    const copies = projected(rows);
    const keep = (id: string) => {
      const row = rows.get(id);
      if (row) copies.set(id, copy(row));
    };
    return {
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        if (created) keep(id);
        return created;
      },
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "committed" && change.principal !== undefined) keep(id);
        return outcome;
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        if (query.principal === undefined) return page;
        return {
          ...page,
          records: page.records.map((r) => ({ ...r, fields: copies.get(r.id)?.fields ?? r.fields })),
        };
      },
    };
  }),
  fault("R13", "a listing answers the stored Map", (rows, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      return {
        ...page,
        records: page.records.map((r) => ({ ...r, fields: rows.get(r.id)?.fields ?? r.fields })),
      };
    },
  })),
  ordered(
    "the order of a listing is the order of principals",
    (id, { principal = "" }) => `${principal} ${id}`,
  ),
];
