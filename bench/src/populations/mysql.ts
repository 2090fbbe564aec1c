import { mysqlDriver } from "@sessions/driver-mysql";
import { createPool } from "mysql2/promise";
import { BATCH, PER_PRINCIPAL, type PopulationBackend } from "../population.ts";
import { findService } from "../services.ts";

// MySQL has no series of numbers, and its recursion has a limit: ten thousand by four tables of ten.
const TEN = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(" UNION ALL ");
const NUMBERS = `(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS i
FROM (${TEN}) a, (${TEN}) b, (${TEN}) c, (${TEN}) e)`;

/** The numbers from `first` on, at most as many as a batch has, as a table `n` with a column `i`. */
export const numbersFrom = (first: number, count: number): string =>
  `(SELECT i + ${first} AS i FROM ${NUMBERS} m WHERE i < ${Math.min(count, BATCH)}) n`;

export const mysql: PopulationBackend = {
  name: "mysql",
  async open(table) {
    const found = await findService("mysql");
    if ("missing" in found) return found.missing;
    const pool = createPool(found.url);
    const driver = mysqlDriver({ client: pool, table, timeout: "30s" });
    await driver.setup();
    return {
      driver,
      async add(template, { first, count, expiresAt }) {
        for (let done = 0; done < count; done += BATCH)
          await pool.query(
            `INSERT INTO ${table} (id, principal, version, expires_at, fields)
SELECT MD5(n.i), CONCAT('p', n.i DIV ${PER_PRINCIPAL}), 1, ?, fields
FROM ${table}, ${numbersFrom(first + done, count - done)} WHERE id = ?`,
            [expiresAt, template],
          );
        await pool.query(`ANALYZE TABLE ${table}`);
      },
      close: () => pool.end(),
    };
  },
};
