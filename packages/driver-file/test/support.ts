import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver, NewRecord } from "@sessions/core";
import { onTestFinished } from "vitest";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");

/** A folder of the test's own, until it is over. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sessions-file-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}
