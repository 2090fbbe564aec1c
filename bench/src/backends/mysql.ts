import { fromUrl } from "@sessions/driver-mysql";
import mysql from "mysql2/promise";
import { type Backend, FILLER, rows } from "../backend.ts";

export const mysqlBackend: Backend = {
  name: "mysql",
  service: "mysql",
  async open(url) {
    const pool = mysql.createPool(url);
    const driver = await fromUrl(url, { table: "bench" });
    await driver.setup();
    await pool.query("CREATE TABLE IF NOT EXISTS bench_bare (id INT PRIMARY KEY, fields JSON)");
    const filler = JSON.stringify({ filler: FILLER });
    await pool.query("REPLACE INTO bench_bare VALUES ?", [rows.map((row) => [row, filler])]);
    return {
      driver,
      bare: {
        load: (row) => pool.query("SELECT * FROM bench_bare WHERE id = ?", [row]),
        commit: (row, text) =>
          pool.query("UPDATE bench_bare SET fields = JSON_SET(fields, '$.a', ?) WHERE id = ?", [text, row]),
      },
      async close() {
        await driver.teardown();
        await pool.query("DROP TABLE IF EXISTS bench_bare");
        await Promise.all([pool.end(), driver.close()]);
      },
    };
  },
};
