import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "@sessions/test-services/data-folder";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";

/** A folder of the test's own, with the path of a file in it. */
export function newFile(): { folder: string; path: string; remove: () => void } {
  const folder = mkdtempSync(join(dataFolder(), "sessions-sqlite-"));
  return { folder, path: join(folder, "sessions.db"), remove: () => rmSync(folder, { recursive: true }) };
}

/** The path of a file that the end of the test removes. */
export function ownFile(): string {
  const { path, remove } = newFile();
  onTestFinished(remove);
  return path;
}

/** A handle that the end of the test closes. */
export function openFile(path: string, options?: Database.Options): Database.Database {
  const handle = new Database(path, options);
  onTestFinished(() => {
    handle.close();
  });
  return handle;
}

/** The first column of the first row. */
export const pluck = (client: Database.Database, sql: string): unknown => client.prepare(sql).pluck().get();

/** The definition that the README shows, without the journal mode. */
export function definition(): string {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  return (/```sql\n([^`]*)```/.exec(readme)?.[1] ?? "").replace(/^PRAGMA.*$/m, "");
}
