import { join } from "node:path";
import { sqliteDriver } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { type Backend, FILLER, rows } from "../backend.ts";

export const sqlite: Backend = {
  name: "sqlite",
  async open(folder) {
    const database = new Database(join(folder, "bench.db"));
    database.pragma("journal_mode = WAL");
    const driver = sqliteDriver({ client: database });
    await driver.setup();
    database.exec("CREATE TABLE bare (id INTEGER PRIMARY KEY, fields TEXT)");
    const insert = database.prepare("INSERT INTO bare VALUES (?, json_object('filler', ?))");
    for (const row of rows) insert.run(row, FILLER);
    const load = database.prepare("SELECT * FROM bare WHERE id = ?");
    const commit = database.prepare("UPDATE bare SET fields = json_set(fields, '$.a', ?) WHERE id = ?");
    return {
      driver,
      bare: { load: async (row) => load.get(row), commit: async (row, text) => commit.run(text, row) },
      close: async () => database.close(),
    };
  },
};
