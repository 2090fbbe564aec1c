import { fromUrl } from "@sessions/driver-postgres";
import pg from "pg";
import { type Backend, FILLER, rows } from "../backend.ts";

export const postgres: Backend = {
  name: "postgres",
  service: "postgres",
  async open(url) {
    const pool = new pg.Pool({ connectionString: url });
    const driver = await fromUrl(url, { table: "bench" });
    await driver.setup();
    await pool.query("CREATE TABLE IF NOT EXISTS bench_bare (id int PRIMARY KEY, fields jsonb)");
    const filler = JSON.stringify({ filler: FILLER });
    await pool.query("INSERT INTO bench_bare SELECT unnest($1::int[]), $2 ON CONFLICT DO NOTHING", [
      rows,
      filler,
    ]);
    const select = "SELECT * FROM bench_bare WHERE id = $1";
    const update = "UPDATE bench_bare SET fields = fields || $2 WHERE id = $1";
    return {
      driver,
      bare: {
        load: (row) => pool.query({ name: "load", text: select, values: [row] }),
        commit: (row, text) =>
          pool.query({ name: "commit", text: update, values: [row, JSON.stringify({ a: text })] }),
      },
      async close() {
        await driver.teardown();
        await pool.query("DROP TABLE IF EXISTS bench_bare");
        await Promise.all([pool.end(), driver.close()]);
      },
    };
  },
};
