import type { Change, StoredRecord } from "./contract.ts";

/**
 * Merges a change into fields, in place: a text sets a field, `null` deletes it, and every other field stays.
 *
 * @param fields The driver's own Map. To keep a Map unchanged, pass a copy.
 * @returns The same Map.
 * @example
 * const stored = new Map([["cart/items", "[]"], ["cart/note", "hello"]]);
 * const merged = mergeFields(new Map(stored), new Map([["cart/note", null]])); // cart/items stays
 */
export function mergeFields(
  fields: Map<string, string>,
  patch: ReadonlyMap<string, string | null>,
): Map<string, string> {
  for (const [name, text] of patch) {
    if (text === null) fields.delete(name);
    else fields.set(name, text);
  }
  return fields;
}

/**
 * Whether a commit of the change raises the record's version by one (R6). A touch, which has only an expiry, does not.
 *
 * @example
 * const touch = { fields: new Map(), expiresAt: Date.now() + 60_000 };
 * const update = `UPDATE sessions SET version = version + ${raisesVersion(touch) ? 1 : 0}`;
 */
export function raisesVersion({ fields, principal, ifVersion }: Change): boolean {
  return fields.size > 0 || principal !== undefined || ifVersion !== undefined;
}

/**
 * Returns the record that a commit leaves, for drivers that write whole records. The driver first checks that the record
 * is live and has the version that the change asks for. It copies the change's Map before it waits for anything.
 *
 * @returns A new record; both arguments stay unchanged.
 * @example
 * import type { Change, CommitOutcome, StoredRecord } from "@sessions/core";
 * import { mergeChange } from "@sessions/core/driver-tools";
 *
 * declare function write(id: string, record: StoredRecord): Promise<void>;
 * async function commitTo(record: StoredRecord, id: string, change: Change, now: number): Promise<CommitOutcome> {
 *   if (record.expiresAt <= now) return "gone";
 *   if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
 *   await write(id, mergeChange(record, change));
 *   return "committed";
 * }
 */
export function mergeChange(record: StoredRecord, change: Change): StoredRecord {
  const principal = change.principal === undefined ? record.principal : (change.principal ?? undefined);
  return {
    version: record.version + (raisesVersion(change) ? 1 : 0),
    expiresAt: change.expiresAt ?? record.expiresAt,
    ...(principal !== undefined && { principal }),
    fields: mergeFields(new Map(record.fields), change.fields),
  };
}
