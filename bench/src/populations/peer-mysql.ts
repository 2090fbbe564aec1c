import { randomUUID } from "node:crypto";
import mysqlStore from "express-mysql-session";
import session from "express-session";
import { createPool } from "mysql2/promise";
import { BATCH, idOf } from "../population.ts";
import type { Sweepable } from "../questions/sweeping.ts";
import { findService } from "../services.ts";
import { numbersFrom } from "./mysql.ts";

/** The table of express-mysql-session with live sessions, and its statement that clears expired ones. */
export async function openExpressMysqlSession(live: number, expiresAt: number): Promise<Sweepable | string> {
  const found = await findService("mysql");
  if ("missing" in found) return `express-mysql-session: ${found.missing}`;
  const pool = createPool(found.url);
  const table = `peer_${randomUUID().slice(0, 8)}`;
  const Store = mysqlStore(session);
  // Turn off its own clearing every 15 minutes. Its types know only the callback client, but its code takes both.
  const store = new Store(
    { schema: { tableName: table }, clearExpired: false },
    pool as unknown as ConstructorParameters<typeof Store>[1],
  );
  await store.onReady();
  const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
  const text = "x".repeat(200);

  async function add(first: number, count: number, expires: number): Promise<void> {
    for (let done = 0; done < count; done += BATCH)
      await pool.query(
        `INSERT INTO ${table} (session_id, expires, data)
SELECT LEFT(SHA2(n.i, 256), 32), ?, ? FROM ${numbersFrom(first + done, count - done)}`,
        [Math.round(expires / 1000), JSON.stringify({ cookie, text })],
      );
    await pool.query(`ANALYZE TABLE ${table}`);
  }

  await add(0, live, expiresAt);
  return {
    addExpired: (first, count) => add(first, count, Date.now() - 3_600_000),
    commit: (i) => store.set(idOf(i), { cookie, text, key: randomUUID() }),
    sweep: () => store.clearExpiredSessions(),
    async close() {
      await pool.query(`DROP TABLE ${table}`);
      await pool.end();
    },
  };
}
