import type { Change, StoredRecord } from "./contract.ts";

/**
 * Merges a change into fields, in place: a text sets a field, `null` deletes it, and every other field stays.
 *
 * @param fields The driver's own Map: give it a copy of one that must stay as it is.
 * @returns The same Map.
 * @example
 * const merged = mergeFields(new Map(record.fields), change.fields);
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
 * Whether a commit of the change raises the record's version by one (R6): a touch, which has an expiry and nothing
 * else, does not.
 *
 * @example
 * const update = `UPDATE sessions SET version = version + ${raisesVersion(change) ? 1 : 0}`;
 */
export function raisesVersion({ fields, principal, ifVersion }: Change): boolean {
  return fields.size > 0 || principal !== undefined || ifVersion !== undefined;
}

/**
 * The record that a commit leaves, for drivers that write whole records. The driver judges first whether the record is
 * live and has the version that the change asks for, and takes a copy of the change's Map before it waits for anything.
 *
 * @returns A new record; both arguments stay as they are.
 * @example
 * if (record.expiresAt <= now) return "gone";
 * if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
 * await write(id, mergeChange(record, change));
 * return "committed";
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
