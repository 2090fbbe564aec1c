import type { Change, StoredRecord } from "./contract.ts";

/**
 * Merges a change into fields, in place: a text sets a field, `null` deletes it, and every other field stays.
 *
 * @param fields A Map that the function changes. Pass a copy of a Map that must stay as it is.
 * @returns The same Map.
 * @example
 * const fields = new Map([["cart/items", "1"]]);
 * mergeFields(fields, new Map([["cart/items", null]])); // now empty
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
 * Returns whether a commit of the change raises the record's version by one (rule R6 of SPEC.md). A touch, which
 * changes only the expiry, does not.
 *
 * @example
 * const change = { fields: new Map([["cart/items", "1"]]) };
 * const update = `UPDATE sessions SET version = version + ${raisesVersion(change) ? 1 : 0}`;
 */
export function raisesVersion({ fields, principal, ifVersion }: Change): boolean {
  return fields.size > 0 || principal !== undefined || ifVersion !== undefined;
}

/**
 * Returns the record that a commit leaves, for drivers that write whole records. Before that, the driver checks that
 * the record is live and has the version of `ifVersion`, and copies the change's Map before it awaits anything.
 *
 * @returns A new record; both arguments stay unchanged.
 * @example
 * import type { Change, CommitOutcome, StoredRecord } from "@sessions/core";
 * import { mergeChange } from "@sessions/core/driver-tools";
 *
 * const records = new Map<string, StoredRecord>();
 *
 * export function commit(id: string, change: Change, now: number): CommitOutcome {
 *   const record = records.get(id);
 *   if (!record || record.expiresAt <= now) return "gone";
 *   if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
 *   records.set(id, mergeChange(record, change));
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
