import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteDriver } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { BATCH, idOf, type PopulationBackend, principalOf } from "../population.ts";

export const sqlite: PopulationBackend = {
  name: "sqlite",
  async open(table) {
    const folder = mkdtempSync(join(tmpdir(), "sessions-bench-"));
    const database = new Database(join(folder, "bench.db"));
    database.pragma("journal_mode = WAL");
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
};
