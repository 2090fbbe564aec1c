import { randomBytes } from "node:crypto";
import type { Driver, NewRecord } from "@sessions/core";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");

export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}
