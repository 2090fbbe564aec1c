import { randomBytes } from "node:crypto";
import type { Change, Driver } from "@sessions/core";

export const HOUR = 3_600_000;
export const newId = (): string => randomBytes(16).toString("hex");
export const newTable = (): string => `t_${newId()}`;

/** Makes a live record, and answers its id. */
export async function begin(
  driver: Driver,
  fields: Record<string, string> = { "a/x": "0" },
): Promise<string> {
  const id = newId();
  const now = Date.now();
  const record = { expiresAt: now + HOUR, fields: new Map(Object.entries(fields)) };
  if (!(await driver.create(id, record, now))) throw new Error(`${id} was taken`);
  return id;
}

export const change = (fields: Record<string, string | null>): Change => ({
  fields: new Map(Object.entries(fields)),
});
