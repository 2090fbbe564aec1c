import { randomBytes } from "node:crypto";
import type { Driver, NewRecord } from "@sessions/core";

export const HOUR = 3_600_000;

/** Makes a new id. */
export const newId = (): string => randomBytes(16).toString("hex");

/** Creates a record, by default one that lives for an hour, and returns its id. */
export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}

/** Makes fields of 100 bytes each, with about this many bytes in all. */
export function filler(bytes: number): Map<string, string> {
  const fields = new Map<string, string>();
  for (let i = 0; i < bytes / 100; i++) fields.set(`filler/${i}`, randomBytes(43).toString("hex"));
  return fields;
}
