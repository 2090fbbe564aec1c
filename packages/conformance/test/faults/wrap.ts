import type { Change, ListingDriver, StoredRecord } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import { copy, counts, isLive, type Row, type Rows } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";

type Rule = Fault["rule"];

/** What all drivers on one table have in common beside it: an index, a second table, a lock. */
export function beside<T extends object>(make: () => T): (rows: Rows) => T {
  const made = new WeakMap<Rows, T>();
  return (rows) => {
    const there = made.get(rows) ?? make();
    made.set(rows, there);
    return there;
  };
}

/** Changes that reach the backend otherwise than they were given; they count as they should. */
export const altered = (
  rule: Rule,
  what: string,
  alter: (change: Change, row: Row | undefined, now: number) => Change,
): Fault =>
  fault(rule, what, (rows, sound) => ({
    async commit(id, given, now) {
      const row = rows.get(id);
      const change = alter(given, row, now);
      const outcome = await sound.commit(id, change, now);
      if (outcome === "committed" && row) row.version += Number(counts(given)) - Number(counts(change));
      return outcome;
    },
  }));

/** Records that load answers otherwise than they are stored. */
export const seen = (
  rule: Rule,
  what: string,
  see: (record: StoredRecord) => StoredRecord | undefined,
): Fault =>
  fault(rule, what, (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      return record && see(record);
    },
  }));

/** Records that a listing names otherwise than they are stored; `undefined` names one not at all. */
export const listed = (
  rule: Rule,
  what: string,
  see: (record: StoredRecord, principal: string | undefined) => StoredRecord | undefined,
): Fault =>
  fault(rule, what, (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      const records = page.records.flatMap(({ id, ...record }) => {
        const other = see(record, query.principal);
        return other ? [{ id, ...other }] : [];
      });
      return { ...page, records };
    },
  }));

/** Commits that raise the version by more or less than they should: `off` is how much. */
export const counted = (what: string, off: (change: Change, before: StoredRecord) => number): Fault =>
  fault("R6", what, (rows, sound) => ({
    async commit(id, change, now) {
      const row = rows.get(id);
      const before = row && copy(row);
      const outcome = await sound.commit(id, change, now);
      if (outcome === "committed" && row && before) row.version += off(change, before);
      return outcome;
    },
  }));

/** Texts that are stored otherwise than they were given; `null` loses one. */
export const spoilt = (
  what: string,
  spoil: (text: string, name: string) => string | null,
  where: "create" | "commit" | "both" = "both",
): Fault =>
  fault("R9", what, (_, sound) => ({
    create(id, record, now) {
      const fields = new Map<string, string>();
      for (const [name, text] of record.fields) {
        const kept = where === "commit" ? text : spoil(text, name);
        if (kept !== null) fields.set(name, kept);
      }
      return sound.create(id, { ...record, fields }, now);
    },
    commit(id, change, now) {
      const fields = new Map<string, string | null>();
      for (const [name, text] of change.fields)
        fields.set(name, text === null || where === "create" ? text : spoil(text, name));
      return sound.commit(id, { ...change, fields }, now);
    },
  }));

/** Names that are stored otherwise than they were given; `null` loses one. */
export const renamed = (what: string, rename: (name: string) => string | null): Fault =>
  fault("R9", what, (_, sound) => {
    const all = <T>(fields: ReadonlyMap<string, T>) => {
      const renamed = new Map<string, T>();
      for (const [name, text] of fields) {
        const other = rename(name);
        if (other !== null) renamed.set(other, text);
      }
      return renamed;
    };
    return {
      create: (id, record, now) => sound.create(id, { ...record, fields: all(record.fields) }, now),
      commit: (id, change, now) => sound.commit(id, { ...change, fields: all(change.fields) }, now),
    };
  });

/** Deletions that take more fields with them: all those for which `alike` is true. */
export const overdeleted = (
  rule: Rule,
  what: string,
  alike: (deleted: string, other: string) => boolean,
): Fault =>
  altered(rule, what, (change, row) => {
    const fields = new Map(change.fields);
    for (const [name, text] of change.fields)
      if (text === null && row && row.fields.size < 1000)
        for (const other of row.fields.keys())
          if (alike(name, other) && !change.fields.has(other)) fields.set(other, null);
    return { ...change, fields };
  });

/** The ids of each principal, kept apart from the records. */
export type Index = Map<string, Set<string>>;

/** Adds an id to a principal's. */
export function enter(index: Index, principal: string | null | undefined, id: string): void {
  if (typeof principal === "string") index.set(principal, (index.get(principal) ?? new Set()).add(id));
}

/** A fault in a driver that keeps its index on principals apart, writes it first and checks each record. */
export function indexed(
  rule: Rule,
  what: string,
  wrong: (rows: Rows, sound: ListingDriver, index: Index) => Partial<ListingDriver>,
): Fault {
  const indexOf = beside((): Index => new Map());
  return fault(rule, what, (rows, simple) => {
    const index = indexOf(rows);
    const sound: ListingDriver = {
      ...simple,
      create(id, record, now) {
        enter(index, record.principal, id);
        return simple.create(id, record, now);
      },
      commit(id, change, now) {
        enter(index, change.principal, id);
        return simple.commit(id, change, now);
      },
      async list(query, now) {
        const { principal } = query;
        if (principal === undefined) return simple.list(query, now);
        await yieldToEventLoop();
        const records = [...(index.get(principal) ?? [])].flatMap((id) => {
          const row = rows.get(id);
          return isLive(row, now) && row.principal === principal ? [{ id, ...copy(row) }] : [];
        });
        return { records };
      },
    };
    return { ...sound, ...wrong(rows, sound, index) };
  });
}
