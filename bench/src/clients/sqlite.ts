import { join } from "node:path";
import { createClient } from "@libsql/client";
import { type SqliteDriverOptions, sqliteDriver } from "@sessions/driver-sqlite";
import Database from "better-sqlite3";
import { EXPIRY, FILLER, idOf, rows } from "../backend.ts";
import type { Client } from "./client.ts";

interface Connected {
  readonly client: SqliteDriverOptions["client"];
  query(text: string, values: (string | number)[]): Promise<unknown>;
  close(): void;
}

const SELECT = "SELECT version, expires_at, principal, fields FROM bench_client WHERE id = ?";
const UPDATE =
  "UPDATE bench_client SET fields = json_patch(fields, ?), version = version + 1 WHERE id = ? AND expires_at > ?";

const ofSqlite = (name: string, packages: string[], connect: (file: string) => Connected): Client => ({
  ...{ driver: "sqlite", name, packages },
  async open(folder) {
    const { client, query, close } = connect(join(folder, "bench.db"));
    const wal = sqliteDriver({ client, table: "wal" });
    await wal.setup();
    await wal.teardown();
    await query(
      "CREATE TABLE IF NOT EXISTS bench_client (id TEXT PRIMARY KEY, version INTEGER, expires_at INTEGER, principal TEXT, fields TEXT) STRICT",
      [],
    );
    for (const row of rows)
      await query("INSERT OR REPLACE INTO bench_client VALUES (?, 1, ?, NULL, json_object('filler/x', ?))", [
        ...[idOf(row), EXPIRY, FILLER],
      ]);
    return {
      driver: (namespace, timeout) => sqliteDriver({ client, table: namespace, timeout }),
      bare: {
        load: (row) => query(SELECT, [idOf(row)]),
        commit: (row, text) => query(UPDATE, [JSON.stringify({ "a/x": text }), idOf(row), Date.now()]),
      },
      close: async () => close(),
    };
  },
});

export const sqliteClients: readonly Client[] = [
  ofSqlite("better-sqlite3", ["better-sqlite3"], (file) => {
    const client = new Database(file);
    client.pragma("synchronous = NORMAL");
    const statements = new Map<string, Database.Statement>();
    return {
      client,
      async query(text, values) {
        const statement = statements.get(text) ?? client.prepare(text);
        statements.set(text, statement);
        return statement.reader ? statement.all(...values) : statement.run(...values);
      },
      close: () => client.close(),
    };
  }),
  ofSqlite("@libsql/client, a file", ["@libsql/client"], (file) => {
    const client = createClient({ url: `file:${file}` });
    return {
      client,
      query: (sql, args) => client.execute({ sql, args }),
      close: () => client.close(),
    };
  }),
];
