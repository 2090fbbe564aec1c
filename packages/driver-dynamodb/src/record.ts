import type { StoredRecord } from "@sessions/core";
import type { Item } from "./requests.ts";

/** The driver's own attributes. Fields have a `/` in their names, and are never one of these. */
export const OWN = {
  id: "id",
  version: "version",
  expiresAt: "expiresAt",
  principal: "principal",
  /** In epoch seconds, when the service may remove the item by itself. */
  ttl: "ttl",
} as const;

/** The most that the service takes, names of attributes included. */
export const ITEM_BYTES: number = 400 * 1024;

/** What is left of it for fields: the driver's own attributes and the longest principal take less than the rest. */
export const RECORD_BYTES: number = ITEM_BYTES - 1024;

/** How much a field counts: its name and its text in UTF-8. */
export const bytesOf = (name: string, text: string): number => name.length + Buffer.byteLength(text);

/** A record from an item; `undefined` for an item that is none of ours. */
export function parseRecord(item: Item): (StoredRecord & { id: string }) | undefined {
  const fields = new Map<string, string>();
  for (const [name, { S: text }] of Object.entries(item))
    if (text !== undefined && name.includes("/")) fields.set(name, text);
  const id = item[OWN.id]?.S;
  const version = item[OWN.version]?.N;
  const expiresAt = item[OWN.expiresAt]?.N;
  const principal = item[OWN.principal]?.S;
  if (id === undefined || version === undefined || expiresAt === undefined) return undefined;
  return {
    id,
    version: Number(version),
    expiresAt: Number(expiresAt),
    fields,
    ...(principal !== undefined && { principal }),
  };
}
