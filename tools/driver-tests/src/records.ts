import { randomBytes } from "node:crypto";
import type { Driver, NewRecord } from "@sessions/core";

export const HOUR = 3_600_000;

/** Returns an id that no other record has. */
export const newId = (): string => randomBytes(16).toString("hex");

/** Makes a record that is live for an hour by default, and returns its id. */
export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}

/** Returns fields of a hundred bytes each, about `bytes` bytes in all. */
export function filler(bytes: number): Map<string, string> {
  const fields = new Map<string, string>();
  for (let i = 0; i < bytes / 100; i++) fields.set(`filler/${i}`, randomBytes(43).toString("hex"));
  return fields;
}
