import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteDriver } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { BATCH, idOf, type PopulationBackend, principalOf } from "../population.ts";

/** The limit of the page cache in KiB: more than a million sessions take. */
const ROOM = 1_048_576;

const populationOf = (name: string, roomy: boolean): PopulationBackend => ({
  name,
  async open(table) {
    const folder = mkdtempSync(join(tmpdir(), "sessions-bench-"));
    const database = new Database(join(folder, "bench.db"));
    database.pragma("journal_mode = WAL");
    if (roomy) database.pragma(`cache_size = -${ROOM}`);
    const driver = sqliteDriver({ client: database, table });
    await driver.setup();
    const insert = database.prepare(
      `INSERT INTO "${table}" (id, principal, version, expires_at, fields)
SELECT ?, ?, 1, ?, fields FROM "${table}" WHERE id = ?`,
    );
    return {
      driver,
      async add(template, { first, count, expiresAt }) {
        for (let begun = first; begun < first + count; begun += BATCH) {
          database.transaction(() => {
            for (let i = begun; i < Math.min(begun + BATCH, first + count); i++)
              insert.run(idOf(i), principalOf(i), expiresAt, template);
          })();
        }
        database.exec("ANALYZE");
      },
      async close() {
        database.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
});

/** SQLite with its defaults: the page cache is 2 MB. */
export const sqlite: PopulationBackend = populationOf("sqlite", false);
/** SQLite with a page cache for the whole table. */
export const sqliteInMemory: PopulationBackend = populationOf("sqlite, all in its page cache", true);
