import { randomBytes } from "node:crypto";
import type { Driver } from "@sessions/core";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");

/** Makes a live record of about so many bytes, in fields of a hundred bytes, and answers its id. */
export async function begin(driver: Driver, bytes = 100): Promise<string> {
  const id = newId();
  const fields = new Map<string, string>();
  for (let i = 0; i < bytes / 100; i++) fields.set(`filler/${i}`, randomBytes(43).toString("hex"));
  const now = Date.now();
  if (!(await driver.create(id, { expiresAt: now + HOUR, fields }, now))) throw new Error(`${id} was taken`);
  return id;
}
