import { sweepBesideCommits, withService } from "@sessions/driver-tests";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { mysqlDriver } from "../src/index.ts";
import { statementsOf } from "../src/statements.ts";
import { begin, change, HOUR, isNamed, openDriver, ownServer } from "./support.ts";

/** Rows 0 to 99,999, made by the server. */
const DIGITS = `(SELECT 0 AS d ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((d) => `UNION ALL SELECT ${d}`).join(" ")})`;
const NUMBERS = `(SELECT e.d * 10000 + f.d * 1000 + g.d * 100 + h.d * 10 + i.d AS n FROM ${DIGITS} AS e, ${DIGITS} AS f, ${DIGITS} AS g, ${DIGITS} AS h, ${DIGITS} AS i) AS numbers`;
const EXPIRED = 100_000;

async function fill(
  connection: { query(sql: string): Promise<unknown> },
  table: string,
  now: number,
): Promise<void> {
  const rows = (prefix: string, expiresAt: string) =>
    connection.query(
      `INSERT INTO ${table} (id, principal, version, expires_at, fields)
       SELECT LEFT(SHA2(CONCAT('${prefix}', n), 256), 32), CONCAT('user ', n % 10000), 1, ${expiresAt}, '{"fa/count":"0"}' FROM ${NUMBERS}`,
    );
  await rows("expired", `${now} - 1 - n`);
  await rows("live", `${now} + ${HOUR} + n`);
  await connection.query(`ANALYZE TABLE ${table}`);
}

await withService("mysql", async (service) => {
  test.skipIf(isNamed(service))(
    "100,000 expired among 200,000 go in batches, beside commits of which none is lost",
    async () => {
      const { url } = await ownServer("--slow-query-log=1", "--long-query-time=0", "--log-output=TABLE");
      const { client, table, driver } = await openDriver({ uri: url, timeout: 10_000 });
      const now = Date.now();
      await fill(client, table, now);
      const explain = async (sql: string): Promise<unknown> => {
        // MySQL 9 explains as a tree by default; MariaDB does not know this option.
        const format = service.version.startsWith("MariaDB") ? "" : "FORMAT=TRADITIONAL";
        const [rows] = await client.query<RowDataPacket[]>(`EXPLAIN ${format} ${sql}`);
        return rows.map((row) => row["key"]);
      };
      const statements = statementsOf(`\`${table}\``);
      const range = { after: 0, before: now, limit: 1000 };
      expect(await explain(statements.expired(range))).toEqual(["by_expiry"]);
      const ids = (await driver.list({ limit: 500 }, now)).records.map(({ id }) => id);
      expect(await explain(statements.remove(ids, range))).toEqual(["PRIMARY"]);
      expect(await explain(statements.list({ principal: "user 7", limit: 500 }, now))).toEqual([
        "by_principal",
      ]);
      expect(await explain(statements.list({ limit: 500, cursor: ids[0] }, now))).toEqual(["PRIMARY"]);

      const [live] = await client.query<RowDataPacket[]>(
        `SELECT id FROM ${table} WHERE expires_at > ${now} LIMIT 1000`,
      );
      const writer = mysqlDriver({ client, table, timeout: 10_000 });
      const figures = await sweepBesideCommits({
        sweeper: driver,
        writer,
        live: live.map((row) => String(row["id"])),
        expired: EXPIRED,
        batch: 1000,
      });
      const [slow] = await client.query<RowDataPacket[]>(
        `SELECT LEFT(CONVERT(sql_text USING utf8mb4), 10) AS kind, COUNT(*) AS count, MAX(TIME_TO_SEC(query_time)) * 1000 AS longest FROM mysql.slow_log
       WHERE sql_text LIKE 'DELETE gone%' OR sql_text LIKE 'SELECT id FROM%' GROUP BY kind`,
      );
      console.log(
        figures,
        slow.map(
          ({ kind, count, longest }) => `${kind}: ${count}, longest ${longest} ms by the server's slow log`,
        ),
      );
      const [[left]] = await client.query<RowDataPacket[]>(`SELECT COUNT(*) AS count FROM ${table}`);
      expect(left?.["count"]).toBe(EXPIRED);
    },
    120_000,
  );

  describe.each(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])("under %s", (level) => {
    test("a sweep that has not ended blocks no commit, however small the table", async () => {
      const { table, driver } = await openDriver({ uri: service.url, timeout: 1_000 });
      const now = Date.now();
      const live = [await begin(driver), await begin(driver), await begin(driver)];
      const expired = ["0".repeat(32), "8".repeat(32), "f".repeat(32)];
      for (const id of expired)
        await driver.create(id, { expiresAt: now - 1000, fields: new Map() }, now - 2000);
      const connection = await createConnection(service.url);
      onTestFinished(() => connection.end());
      await connection.query(`SET SESSION TRANSACTION ISOLATION LEVEL ${level}`);
      const statements = statementsOf(`\`${table}\``);
      const range = { after: 0, before: now, limit: 10 };
      await connection.query(statements.expired(range));
      await connection.beginTransaction();
      const [answer] = await connection.query(statements.remove(expired, range));
      expect(answer).toMatchObject({ affectedRows: 3 });
      for (const id of live) {
        expect(await driver.commit(id, change({ "a/x": "1" }), now)).toBe("committed");
        expect(await driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now)).toBe(
          "committed",
        );
      }
      await begin(driver);
      await connection.rollback();
    });
  });
});
