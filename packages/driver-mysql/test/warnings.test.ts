import { withService } from "@sessions/driver-tests";
import type { Pool } from "mysql2/promise";
import { expect, test } from "vitest";
import { type MysqlPoolLike, mysqlDriver } from "../src/index.ts";
import { change, HOUR, manyFields, newId, newTable, openPool } from "./support.ts";

/** The pool, which asks the server for its warnings after every statement. */
function warnedOf(pool: Pool): { client: MysqlPoolLike; statements: string[]; warnings: string[] } {
  const statements: string[] = [];
  const warnings: string[] = [];
  const client: MysqlPoolLike = {
    async getConnection() {
      const connection = await pool.getConnection();
      return {
        release: () => connection.release(),
        destroy: () => connection.destroy(),
        async query(statement) {
          const answer = await connection.query(statement);
          statements.push(statement.sql);
          const [rows] = await connection.query("SHOW WARNINGS");
          if (!Array.isArray(rows) || rows.length > 0)
            warnings.push(`${statement.sql}: ${JSON.stringify(rows)}`);
          return answer;
        },
      };
    },
  };
  return { client, statements, warnings };
}

await withService("mysql", async (service) => {
  test("no statement of the driver makes the server warn", async () => {
    const { client, statements, warnings } = warnedOf(openPool({ uri: service.url }));
    const driver = mysqlDriver({ client, table: newTable() });
    const now = Date.now();
    const [id, other, expired] = [newId(), newId(), newId()];
    const fields = new Map([["a/x", "😀"]]);
    await driver.setup();
    await driver.setup();
    expect(await driver.check()).toEqual([]);
    expect(await driver.create(id, { expiresAt: now + HOUR, principal: "alice", fields }, now)).toBe(true);
    expect(await driver.create(id, { expiresAt: now + HOUR, fields }, now)).toBe(false);
    expect(await driver.create(other, { expiresAt: now + HOUR, fields: new Map() }, now)).toBe(true);
    expect(await driver.create(expired, { expiresAt: now - 1, fields }, now - HOUR)).toBe(true);
    expect(await driver.create(expired, { expiresAt: now - 1, principal: "bob", fields }, now)).toBe(true);
    await driver.load(id);
    await driver.load(newId());
    await driver.commit(
      id,
      { ...change({ "a/x": null, "a/y": "1" }), principal: null, expiresAt: now + HOUR },
      now,
    );
    await driver.commit(id, { ...change({ "a/y": "2" }), ifVersion: 2 }, now);
    await driver.commit(id, { ...change({ "a/y": "2" }), ifVersion: 2 }, now);
    await driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now);
    await driver.commit(newId(), change({ "a/y": "2" }), now);
    await driver.commit(id, manyFields("1"), now);
    await driver.commit(id, change({ "a/y": "x".repeat(100_000) }), now);
    await driver.list({ limit: 1 }, now);
    await driver.list({ principal: "alice", limit: 10, cursor: id }, now);
    expect(await driver.sweep({ after: 0, before: now, limit: 10 })).toBe(1);
    await driver.destroy(id, now);
    await driver.destroy(id, now);
    await driver.teardown();
    await driver.teardown();
    expect(warnings).toEqual([]);
    expect(statements.length).toBeGreaterThan(30);
  });
});
