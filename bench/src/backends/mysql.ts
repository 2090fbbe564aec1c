import { fromUrl } from "@sessions/driver-mysql";
import mysql from "mysql2/promise";
import { type Backend, EXPIRY, FILLER, idOf, rows } from "../backend.ts";

export const mysqlBackend: Backend = {
  name: "mysql",
  service: "mysql",
  async open(url) {
    const pool = mysql.createPool(url);
    const driver = await fromUrl(url, { table: "bench" });
    await driver.setup();
    await pool.query(
      "CREATE TABLE IF NOT EXISTS bench_bare (id VARBINARY(255) PRIMARY KEY, principal VARBINARY(255), version BIGINT, expires_at BIGINT, fields JSON)",
    );
    const fields = JSON.stringify({ "filler/x": FILLER });
    const all = rows.map((row) => [idOf(row), null, 1, EXPIRY, fields]);
    await pool.query("REPLACE INTO bench_bare VALUES ?", [all]);
    const select = "SELECT version, expires_at, principal, fields FROM bench_bare WHERE id = ?";
    const update =
      "UPDATE bench_bare SET fields = JSON_SET(fields, '$.\"a/x\"', ?), version = version + 1 WHERE id = ? AND expires_at > ?";
    return {
      driver,
      bare: {
        async load(row) {
          const [[record]] = await pool.query<mysql.RowDataPacket[]>(select, [idOf(row)]);
          // From MySQL the client gets parsed JSON, and from MariaDB a text.
          const given: unknown = record?.["fields"];
          const parsed: object = typeof given === "string" ? JSON.parse(given) : Object(given);
          return { ...record, fields: new Map(Object.entries(parsed)) };
        },
        commit: (row, text) => pool.query(update, [text, idOf(row), Date.now()]),
      },
      async close() {
        await driver.teardown();
        await pool.query("DROP TABLE IF EXISTS bench_bare");
        await Promise.all([pool.end(), driver.close()]);
      },
    };
  },
};
