import type { StoredRecord } from "@sessions/core";

/** Fields as pairs, not as an object's properties: one may be called `__proto__`. */
interface Kept extends Omit<StoredRecord, "fields"> {
  readonly fields: readonly (readonly [string, string])[];
}

/** Whether there is a record, and it has not expired. */
export const isLive = (record: StoredRecord | undefined, now: number): record is StoredRecord =>
  record !== undefined && record.expiresAt > now;

/** The text that a record is kept as. */
export function print({ fields, ...rest }: StoredRecord): string {
  const kept: Kept = { ...rest, fields: [...fields] };
  return JSON.stringify(kept);
}

/** The record that a text holds. */
export function parse(text: string): StoredRecord {
  const { fields, ...rest }: Kept = JSON.parse(text);
  return { ...rest, fields: new Map(fields) };
}

/**
 * The keys of one driver. They are compared byte by byte, and read in that order: so times have all their digits, and
 * principals, which may hold any character, are written in hexadecimal.
 */
export interface Keys {
  /** Says that `setup()` was here. */
  readonly layout: string;
  /** Before and after everything of this driver. */
  readonly all: readonly [first: string, last: string];
  /** The key of a record. */
  record(id: string): string;
  /** What each key of an expiry begins with. */
  expiry(at: number): string;
  /** What each key of a principal's records begins with, or of all records; the id is the rest. */
  listing(principal: string | undefined): string;
  /** The keys that lead to a record. */
  indexes(id: string, record: StoredRecord | undefined): string[];
}

/** Each index's key ends with the id. */
export const idOf = (key: string): string => key.slice(-32);

/** Makes the keys under a prefix. */
export function keysOf(prefix: string): Keys {
  const expiry = (at: number) => `${prefix}!expiry!${String(at).padStart(16, "0")}!`;
  const listing = (principal: string | undefined) =>
    principal === undefined
      ? `${prefix}!record!`
      : `${prefix}!principal!${Buffer.from(principal).toString("hex")}!`;
  return {
    layout: `${prefix}!layout`,
    all: [`${prefix}!`, `${prefix}!~`],
    record: (id) => `${listing(undefined)}${id}`,
    expiry,
    listing,
    indexes(id, record) {
      if (record === undefined) return [];
      const { expiresAt, principal } = record;
      return [
        `${expiry(expiresAt)}${id}`,
        ...(principal === undefined ? [] : [`${listing(principal)}${id}`]),
      ];
    },
  };
}
