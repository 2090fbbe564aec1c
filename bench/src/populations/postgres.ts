import { postgresDriver } from "@sessions/driver-postgres";
import pg from "pg";
import { PER_PRINCIPAL, type PopulationBackend } from "../population.ts";
import { findService } from "../services.ts";

export const postgres: PopulationBackend = {
  name: "postgres",
  async open(table) {
    const found = await findService("postgres");
    if ("missing" in found) return found.missing;
    const pool = new pg.Pool({ connectionString: found.url });
    const driver = postgresDriver({ client: pool, table, timeout: "30s" });
    await driver.setup();
    return {
      driver,
      async add(template, { first, count, expiresAt }) {
        await pool.query(
          `INSERT INTO ${table} (id, version, expires_at, principal, fields)
SELECT left(encode(sha256(i::text::bytea), 'hex'), 32), 1, $1, 'p' || i / ${PER_PRINCIPAL}, fields
FROM ${table}, generate_series($2::int, $3::int) AS i WHERE id = $4`,
          [expiresAt, first, first + count - 1, template],
        );
        await pool.query(`VACUUM ANALYZE ${table}`);
      },
      close: () => pool.end(),
    };
  },
};
