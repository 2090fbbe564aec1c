import { mysqlDriver } from "@sessions/driver-mysql";
import { withService } from "@sessions/driver-tests";
import { begin, newId } from "@sessions/driver-tests/records";
import { Kysely, MysqlDialect, sql } from "kysely";
import { createPool as createCallbackPool } from "mysql2";
import { createPool } from "mysql2/promise";
import { afterAll, expect, onTestFinished, test } from "vitest";

await withService("mysql", async (service) => {
  const table = `t_${newId().slice(0, 12)}`;
  const pool = createPool(service.url);
  const direct = mysqlDriver({ client: pool, table });
  await direct.setup();
  afterAll(async () => {
    await direct.teardown();
    await pool.end();
  });

  test("a connection that Kysely got back in a transaction takes nothing that is lost later", async () => {
    const one = createCallbackPool({ uri: service.url, connectionLimit: 1 });
    const db = new Kysely<object>({ dialect: new MysqlDialect({ pool: one }) });
    onTestFinished(() => db.destroy());
    const driver = mysqlDriver({ client: db, table });
    const id = await begin(driver);
    const fields = new Map([["a/x", "1"]]);
    const many = new Map(Array.from({ length: 101 }, (_, i) => [`a/${i}`, "1"] as const));
    await db.connection().execute((lent) => sql`START TRANSACTION`.execute(lent));
    const calls = {
      load: () => driver.load(id),
      list: () => driver.list({ limit: 1 }, Date.now()),
      commit: () => driver.commit(id, { fields }, Date.now()),
      "commit of many fields": () => driver.commit(id, { fields: many }, Date.now()),
      destroy: () => driver.destroy(id, Date.now()),
    };
    for (const [name, call] of Object.entries(calls))
      await expect(call(), name).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
    await db.connection().execute((lent) => sql`ROLLBACK`.execute(lent));
    expect((await direct.load(id))?.fields.has("a/x")).toBe(false);
    expect(await driver.commit(id, { fields }, Date.now())).toBe("committed");
  });
});
