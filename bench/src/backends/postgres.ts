import { fromUrl } from "@sessions/driver-postgres";
import pg from "pg";
import { type Backend, EXPIRY, FILLER, idOf, rows } from "../backend.ts";

export const postgres: Backend = {
  name: "postgres",
  service: "postgres",
  async open(url) {
    const pool = new pg.Pool({ connectionString: url });
    const driver = await fromUrl(url, { table: "bench" });
    await driver.setup();
    await pool.query(
      "CREATE TABLE IF NOT EXISTS bench_bare (id text PRIMARY KEY, principal text, version bigint, expires_at bigint, fields jsonb)",
    );
    await pool.query(
      "INSERT INTO bench_bare SELECT unnest($1::text[]), NULL, 1, $2, $3 ON CONFLICT DO NOTHING",
      [rows.map(idOf), EXPIRY, JSON.stringify({ "filler/x": FILLER })],
    );
    const select = "SELECT version, expires_at, principal, fields FROM bench_bare WHERE id = $1";
    const update =
      "UPDATE bench_bare SET fields = fields || $1, version = version + 1 WHERE id = $2 AND expires_at > $3";
    return {
      driver,
      bare: {
        async load(row) {
          const { rows: found } = await pool.query({ name: "load", text: select, values: [idOf(row)] });
          return { ...found[0], fields: new Map(Object.entries(found[0].fields)) };
        },
        commit(row, text) {
          const values = [JSON.stringify({ "a/x": text }), idOf(row), Date.now()];
          return pool.query({ name: "commit", text: update, values });
        },
      },
      async close() {
        await driver.teardown();
        await pool.query("DROP TABLE IF EXISTS bench_bare");
        await Promise.all([pool.end(), driver.close()]);
      },
    };
  },
};
