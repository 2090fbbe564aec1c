import { join } from "node:path";
import { fromUrl } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { type Backend, EXPIRY, FILLER, idOf, rows } from "../backend.ts";

export const sqlite: Backend = {
  name: "sqlite",
  async open(folder) {
    const driver = await fromUrl(`sqlite:${join(folder, "bench.db")}`);
    await driver.setup();
    const database = new Database(join(folder, "bare.db"));
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.exec(
      "CREATE TABLE bare (id TEXT PRIMARY KEY, version INTEGER, expires_at INTEGER, principal TEXT, fields TEXT) STRICT",
    );
    const insert = database.prepare("INSERT INTO bare VALUES (?, 1, ?, NULL, json_object('filler/x', ?))");
    for (const row of rows) insert.run(idOf(row), EXPIRY, FILLER);
    const load = database.prepare("SELECT version, expires_at, principal, fields FROM bare WHERE id = ?");
    const commit = database.prepare(
      "UPDATE bare SET fields = json_patch(fields, ?), version = version + 1 WHERE id = ? AND expires_at > ?",
    );
    return {
      driver,
      bare: {
        async load(row) {
          const record = Object(load.get(idOf(row)));
          return { ...record, fields: new Map(Object.entries(JSON.parse(record.fields))) };
        },
        commit: async (row, text) => commit.run(JSON.stringify({ "a/x": text }), idOf(row), Date.now()),
      },
      async close() {
        await driver.close();
        database.close();
      },
    };
  },
};
