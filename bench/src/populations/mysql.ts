import { mysqlDriver } from "@sessions/driver-mysql";
import { addressVariable } from "@sessions/test-services/service";
import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import { BATCH, PER_PRINCIPAL, type PopulationBackend } from "../population.ts";
import { findService } from "../services.ts";

// MySQL has no series of numbers, and limits recursion. Four tables of ten rows give ten thousand numbers.
const TEN = Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS d`).join(" UNION ALL ");
const NUMBERS = `(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS i
FROM (${TEN}) a, (${TEN}) b, (${TEN}) c, (${TEN}) e)`;

/** The numbers from `first` on, at most one batch, as a table `n` with a column `i`. */
export const numbersFrom = (first: number, count: number): string =>
  `(SELECT i + ${first} AS i FROM ${NUMBERS} m WHERE i < ${Math.min(count, BATCH)}) n`;

/** More bytes than a million sessions take. */
const ROOM = 2 ** 31;
/** The server's setting before this run changed it. */
let standard: unknown;

const setBufferPool = (pool: Pool, bytes: unknown): Promise<unknown> =>
  pool.query("SET GLOBAL innodb_buffer_pool_size = ?", [bytes]);

/** Gives the server enough memory for its tables, as its manual advises (InnoDB Buffer Pool). */
async function makeRoom(pool: Pool): Promise<void> {
  if (standard === undefined) {
    const [[row]] = await pool.query<RowDataPacket[]>("SELECT @@innodb_buffer_pool_size AS bytes");
    standard = row?.["bytes"];
  }
  await setBufferPool(pool, ROOM);
}

const populationOf = (name: string, roomy: boolean): PopulationBackend => ({
  name,
  async open(table) {
    const found = await findService("mysql");
    if ("missing" in found) return found.missing;
    const variable = addressVariable("mysql");
    if (roomy && process.env[variable]) return `the server that ${variable} names keeps its own settings`;
    const pool = createPool(found.url);
    if (roomy) await makeRoom(pool);
    const driver = mysqlDriver({ client: pool, table, timeout: "30s" });
    await driver.setup();
    return {
      driver,
      async add(template, { first, count, expiresAt }) {
        for (let done = 0; done < count; done += BATCH)
          await pool.query(
            `INSERT INTO ${table} (id, principal, version, expires_at, fields)
SELECT LEFT(SHA2(n.i, 256), 32), CONCAT('p', n.i DIV ${PER_PRINCIPAL}), 1, ?, fields
FROM ${table}, ${numbersFrom(first + done, count - done)} WHERE id = ?`,
            [expiresAt, template],
          );
        await pool.query(`ANALYZE TABLE ${table}`);
      },
      async close() {
        if (roomy) await setBufferPool(pool, standard);
        await pool.end();
      },
    };
  },
});

/** The server with its defaults: MariaDB keeps 128 MB of its tables in memory. */
export const mysql: PopulationBackend = populationOf("mysql", false);
/** The server with memory for the whole table. */
export const mysqlInMemory: PopulationBackend = populationOf("mysql, all in its buffer pool", true);
