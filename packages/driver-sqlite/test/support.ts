import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver, NewRecord } from "@sessions/core";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");

export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}

/** A folder of the test's own; with its file's path. */
export function newFile(): { folder: string; path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "sessions-sqlite-"));
  return { folder, path: join(folder, "sessions.db"), remove: () => rmSync(folder, { recursive: true }) };
}

/** A file until the test is over. */
export function ownFile(): string {
  const { path, remove } = newFile();
  onTestFinished(remove);
  return path;
}

/** A handle until the test is over. */
export function openFile(path: string, options?: Database.Options): Database.Database {
  const handle = new Database(path, options);
  onTestFinished(() => {
    handle.close();
  });
  return handle;
}

export function ownDatabase(): { path: string; client: Database.Database } {
  const path = ownFile();
  return { path, client: openFile(path) };
}
