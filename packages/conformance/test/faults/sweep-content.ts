import { yieldToEventLoop } from "../../src/support.ts";
import { merge } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

/** The expiry that each record was created with. */
const created = beside(() => new Map<string, number>());

const moved = beside(() => new Set<string>());

const mapTexts = (
  fields: ReadonlyMap<string, string>,
  change: (text: string) => string,
): Map<string, string> => new Map([...fields].map(([name, text]) => [name, change(text)]));

/** Texts that come back otherwise than they went in. */
const spoilt = (what: string, change: (text: string) => string): Fault =>
  fault("R9", what, (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      return record && { ...record, fields: mapTexts(record.fields, change) };
    },
  }));

/** Names that come back otherwise, so that some of them meet. */
const renamed = (what: string, change: (name: string) => string): Fault =>
  fault("R9", what, (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      const fields = new Map([...(record?.fields ?? [])].map(([name, text]) => [change(name), text]));
      return record && { ...record, fields };
    },
  }));

/** Faults in sweeping, and in what comes back: R8 and R9. */
export const sweepAndContentFaults: Fault[] = [
  fault("R8", "sweep includes `before`", (_, sound) => ({
    sweep: ({ after, before, limit }) => sound.sweep({ after, before: before + 1, limit }),
  })),
  fault("R8", "sweep forgets `after`", (_, sound) => ({
    sweep: (range) => sound.sweep({ ...range, after: 0 }),
  })),
  fault("R8", "sweep forgets `limit`", (_, sound) => ({
    sweep: (range) => sound.sweep({ ...range, limit: Number.MAX_SAFE_INTEGER }),
  })),
  fault("R8", "sweep answers its limit", (_, sound) => ({
    async sweep(range) {
      await sound.sweep(range);
      return range.limit;
    },
  })),
  fault("R8", "sweep finds no record whose expiry was moved", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      if (outcome === "committed" && change.expiresAt !== undefined) moved(rows).add(id);
      return outcome;
    },
    async sweep({ after, before, limit }) {
      const found = [...rows].filter(
        ([id, { expiresAt }]) => expiresAt >= after && expiresAt < before && !moved(rows).has(id),
      );
      for (const [id] of found.slice(0, limit)) rows.delete(id);
      return Math.min(limit, found.length);
    },
  })),
  fault("R8", "sweep answers nothing", (_, sound) => ({
    async sweep(range) {
      await sound.sweep(range);
      return 0;
    },
  })),
  fault("R8", "sweep selects, and removes by id later", (rows) => ({
    async sweep({ after, before, limit }) {
      const found = [...rows].filter(([, { expiresAt }]) => expiresAt >= after && expiresAt < before);
      await yieldToEventLoop();
      await yieldToEventLoop();
      return found.slice(0, limit).filter(([id]) => rows.delete(id)).length;
    },
  })),
  fault("R8", "sweep removes a record by the expiry that it was created with", (rows, sound) => {
    const born = created(rows);
    return {
      create(id, record, now) {
        born.set(id, record.expiresAt);
        return sound.create(id, record, now);
      },
      async sweep({ after, before, limit }) {
        await yieldToEventLoop();
        const due = [...born]
          .filter(([id, at]) => rows.has(id) && at >= after && at < before)
          .slice(0, limit);
        return due.filter(([id]) => rows.delete(id)).length;
      },
    };
  }),

  spoilt("texts are trimmed", (text) => text.trimEnd()),
  spoilt("texts are normalised", (text) => text.normalize("NFC")),
  spoilt("texts are cut after 64 KiB", (text) => text.slice(0, 65_535)),
  spoilt("the backend holds the basic plane only", (text) => text.replace(/[\u{10000}-\u{10ffff}]/gu, "?")),
  spoilt("texts that spell numbers come back as such", (text) =>
    /^-?\d+\.\d+$/.test(text) ? String(Number(text)) : text,
  ),
  spoilt("a line separator is lost", (text) => text.replaceAll("\u2028", "\n")),
  spoilt("percent escapes are undone", (text) => text.replaceAll("%2F", "/")),
  spoilt("U+FFFF is taken for a mark of the end", (text) => text.split("\uffff")[0] ?? ""),
  renamed("names that differ in case are one", (name) => name.toLowerCase()),
  renamed("names are cut after 255 characters", (name) => name.slice(0, 255)),
  renamed("names are unescaped", (name) => name.replaceAll("%2F", "/")),
  fault("R9", "fields go through a plain object", (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      const object: Record<string, string> = {};
      for (const [name, text] of record?.fields ?? []) object[name.replace("/x", "")] = text;
      const names = Object.entries(object).map(([name, text]): [string, string] => [name, text]);
      const fields = new Map(
        [...(record?.fields ?? [])].filter(([, text]) => names.some(([, t]) => t === text)),
      );
      return record && { ...record, fields };
    },
  })),
  fault("R9", "a record without fields is none", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      const emptied =
        change.fields.size === 1 && change.expiresAt === undefined && change.principal === undefined;
      if (emptied && rows.get(id)?.fields.size === 0 && change.fields.has("a/x")) rows.delete(id);
      return outcome;
    },
  })),
  fault("R9", "a text too large is cut in silence", (_, sound) => ({
    commit: (id, change, now) =>
      sound.commit(
        id,
        {
          ...change,
          fields: new Map([...change.fields].map(([name, text]) => [name, text?.slice(0, 16 << 20) ?? null])),
        },
        now,
      ),
  })),
  fault("R9", "a text too large is refused after half of it was written", (rows, sound) => ({
    async commit(id, change, now) {
      for (const [, text] of change.fields)
        if (text !== null && text.length > 16 << 20) {
          merge(rows.get(id)?.fields ?? new Map(), new Map([["a/x", ""]]));
          throw new RangeError("packet too large");
        }
      return sound.commit(id, change, now);
    },
  })),
];
