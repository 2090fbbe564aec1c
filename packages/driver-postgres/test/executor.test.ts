import { inspect } from "node:util";
import { withService } from "@sessions/driver-tests";
import { describe, expect, test } from "vitest";
import { type PostgresExecutor, postgresDriver } from "../src/index.ts";
import { begin, newId, newTable, openPool } from "./support.ts";

await withService("postgres", (postgres) => {
  describe("an executor that an application writes is taken as the client, in whatever form a row comes", () => {
    test.each([
      ["objects by name", undefined],
      ["lists in order", "array"],
    ])("%s", async (_, rowMode) => {
      const pool = openPool(postgres.url);
      const sent: (readonly unknown[])[] = [];
      const executor: PostgresExecutor = {
        async run(text, values) {
          sent.push(values);
          const { rows, rowCount } = await pool.query({
            text,
            values: [...values],
            ...(rowMode && { rowMode }),
          });
          return { rows, rowCount };
        },
      };
      const driver = postgresDriver({ client: executor, table: newTable() });
      await driver.setup();
      const fields = new Map([
        ["__proto__/x", "1"],
        ["0/0", "2"],
        ["a/\"\\{},'\n", ""],
      ]);
      const id = await begin(driver, { fields, principal: "alice" });
      expect(await driver.load(id)).toMatchObject({ fields, principal: "alice", version: 1 });
      const now = Date.now();
      expect(await driver.commit(id, { fields: new Map(), ifVersion: 9 }, now)).toBe("conflict");
      const without = new Map([["a/\"\\{},'\n", null]]);
      expect(await driver.commit(id, { fields: without }, now)).toBe("committed");
      const [record] = (await driver.list({ principal: "alice", limit: 10 }, now)).records;
      expect([...(record?.fields.keys() ?? [])].sort()).toEqual(["0/0", "__proto__/x"]);
      expect(await driver.sweep({ after: 0, before: now, limit: 10 })).toBe(0);
      expect(await driver.check()).toEqual([]);
      expect(await driver.destroy(id, now)).toBe(true);
      await driver.teardown();
      for (const values of sent)
        for (const value of values) expect(value === null || typeof value === "string").toBe(true);
    });
  });

  test("an executor that says that a transaction is open is asked again, until the time is over", async () => {
    let tries = 0;
    const busy = (times: number): PostgresExecutor => ({
      async run() {
        if (tries++ < times) throw Object.assign(new Error("in a transaction"), { code: "25001" });
        return { rows: [], rowCount: 0 };
      },
    });
    expect(await postgresDriver({ client: busy(3) }).load(newId())).toBeUndefined();
    expect(tries).toBe(4);
    const never = postgresDriver({ client: busy(Number.POSITIVE_INFINITY), timeout: 50 });
    await expect(never.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  });

  test.each([
    ["without where", false, {}],
    ["with an empty where", true, { where: undefined }],
    ["with a where", false, { where: "PL/pgSQL function f() line 1 at RAISE" }],
  ])("the message of an error %s is shown: %s", async (_, isShown, properties) => {
    const refused = Object.assign(new Error("permission denied"), { code: "42501", severity: "ERROR" });
    const client: PostgresExecutor = { run: () => Promise.reject(Object.assign(refused, properties)) };
    const error: unknown = await postgresDriver({ client })
      .load(newId())
      .catch((reason: unknown) => reason);
    expect(inspect(error).includes("permission denied")).toBe(isShown);
  });

  test("an executor that does not say how many rows were written is refused at the first write", async () => {
    const driver = postgresDriver({ client: { run: async () => ({ rows: [], rowCount: null }) } });
    await expect(begin(driver)).rejects.toThrow(/rowCount must be a number/);
    expect(await driver.load(newId())).toBeUndefined();
  });

  test("an executor's last word on a late call is its error; without one, the call is unavailable", async () => {
    const never = new Promise<never>(() => {});
    let given = 0;
    const silent: PostgresExecutor = {
      run: (_text, _values, limit) => {
        limit.onOver(() => void given++);
        return never;
      },
    };
    const driver = postgresDriver({ client: silent, timeout: 50 });
    await expect(driver.load(newId())).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
    expect(given).toBe(1);
    const telling: PostgresExecutor = {
      run: (_text, _values, limit) => {
        limit.onOver(() => new Error("it sleeps"));
        return never;
      },
    };
    const other = postgresDriver({ client: telling, timeout: 50 });
    await expect(other.load(newId())).rejects.toThrow(/it sleeps/);
  });
});
