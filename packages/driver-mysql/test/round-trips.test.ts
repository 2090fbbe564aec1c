import { withService } from "@sessions/driver-tests";
import type { Pool, RowDataPacket } from "mysql2/promise";
import { describe, expect, test } from "vitest";
import { begin, change, HOUR, manyFields, newId, openDriver } from "./support.ts";

/** The server's own counters of statements on the pool's one connection while the body ran. */
async function asked(client: Pool, body: () => Promise<unknown>): Promise<Record<string, number>> {
  const counters = async () => {
    const [rows] = await client.query<RowDataPacket[]>(
      "SHOW SESSION STATUS WHERE Variable_name = 'Questions' OR Variable_name LIKE 'Com\\_%'",
    );
    return rows.map((row) => [String(row["Variable_name"]), Number(row["Value"])] as const);
  };
  const before = new Map(await counters());
  await body();
  const changed = (await counters()).map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  // The second reading of the counters counts itself.
  const own = new Map([
    ["Questions", 1],
    ["Com_show_status", 1],
  ]);
  return Object.fromEntries(
    changed
      .map(([name, count]) => [name, count - (own.get(name) ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );
}

await withService("mysql", async (service) => {
  describe("round trips, by the server's count on the one connection", () => {
    const open = () => openDriver({ uri: service.url, connectionLimit: 1 });
    const now = Date.now();

    test("each method takes one, from the first call on", async () => {
      const { client, driver } = await open();
      const id = newId();
      const fields = new Map([["a/x", "1"]]);
      const one = (statement: string) => ({ Questions: 1, [`Com_${statement}`]: 1 });
      const expectOne = async (statement: string, body: () => Promise<unknown>) =>
        expect(await asked(client, body)).toEqual(one(statement));

      await expectOne("insert", () => driver.create(id, { expiresAt: now + HOUR, fields }, now));
      await expectOne("insert", () => driver.create(id, { expiresAt: now + HOUR, fields }, now));
      await expectOne("select", () => driver.load(id));
      await expectOne("select", () => driver.load(newId()));
      await expectOne("update", () => driver.commit(id, { fields }, now));
      await expectOne("update", () => driver.commit(id, { fields: new Map(), expiresAt: now + HOUR }, now));
      await expectOne("update", () => driver.commit(id, { fields, principal: "alice", ifVersion: 2 }, now));
      await expectOne("update", () => driver.commit(newId(), { fields }, now));
      await expectOne("update", () => driver.commit(newId(), { fields, ifVersion: 1 }, now));
      await expectOne("update", () => driver.commit(id, { fields, ifVersion: 99 }, now));
      const hundred = new Map(Array.from({ length: 100 }, (_, i) => [`a/${i}`, i % 2 ? null : "1"]));
      await expectOne("update", () => driver.commit(id, { fields: hundred }, now));
      await expectOne("select", () => driver.list({ principal: "alice", limit: 10 }, now));
      await expectOne("select", () => driver.sweep({ after: 0, before: now, limit: 10 }));
      await expectOne("delete", () => driver.destroy(id, now));
      await expectOne("delete", () => driver.destroy(id, now));
    });

    test("more than 100 fields take four, and the first large value one more", async () => {
      const { client, driver } = await open();
      const id = await begin(driver);
      expect(await asked(client, () => driver.commit(id, manyFields("1"), now))).toMatchObject({
        Questions: 4,
      });
      const large = change({ "a/x": "x".repeat(100_000) });
      expect(await asked(client, () => driver.commit(id, large, now))).toMatchObject({ Questions: 2 });
      expect(await asked(client, () => driver.commit(id, large, now))).toMatchObject({ Questions: 1 });
    });

    test("no statement is ever prepared", async () => {
      const { client, driver } = await open();
      const id = await begin(driver);
      const counts = await asked(client, async () => {
        for (let n = 1; n <= 100; n++) {
          const names = Array.from({ length: n }, (_, i) => [`a/${i}`, "1"] as const);
          expect(await driver.commit(id, { fields: new Map(names) }, now)).toBe("committed");
        }
      });
      expect(counts).toEqual({ Questions: 100, Com_update: 100 });
    });
  });
});
