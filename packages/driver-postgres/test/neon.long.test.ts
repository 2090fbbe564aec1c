import { neon, neonConfig } from "@neondatabase/serverless";
import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import { startNeonFront } from "@sessions/test-services/neon-front";
import pg from "pg";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { begin, newTable } from "./support.ts";

await withService("postgres", async (postgres) => {
  const behind = new pg.Pool({
    connectionString: postgres.url,
    max: 20,
    types: { getTypeParser: () => (text: unknown) => text },
  });
  behind.on("error", () => {});
  let asked = 0;
  const front = await startNeonFront(async (text, values) => {
    asked++;
    const { command, rowCount, fields, rows } = await behind.query<(string | null)[]>({
      ...{ text, values, rowMode: "array" },
    });
    return { command, rowCount, rows, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })) };
  });
  const proxy = await startProxy(front.url);
  neonConfig.fetchEndpoint = () => proxy.url;
  const url = "postgres://user:hunter2@one.neon.tech/app";
  const sql = neon(url);
  afterAll(async () => {
    await proxy.close();
    await front.close();
    await behind.end();
  });
  const open = async (client: Parameters<typeof postgresDriver>[0]["client"] = sql) => {
    const driver = postgresDriver({ client, table: newTable(), timeout: 500 });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    return driver;
  };

  test("the front is as the client expects it", async () => {
    expect(await sql`SELECT ${1}::int AS one, NULL AS none`).toEqual([{ one: 1, none: null }]);
    expect(await sql.query("SELECT $1 AS text", ["Zoë"], { arrayMode: true })).toEqual([["Zoë"]]);
    await expect(sql`SELECT 1 / ${0}::int`).rejects.toMatchObject({ code: "22012", severity: "ERROR" });
  });

  test.each([{}, { arrayMode: true }, { fullResults: true }] as const)(
    "a client made with %o fits, and each call is one request",
    async (options) => {
      const driver = await open(neon(url, options));
      const id = await begin(driver);
      asked = 0;
      expect((await driver.load(id))?.version).toBe(1);
      expect(await driver.commit(id, { fields: new Map([["a/x", "1"]]) }, Date.now())).toBe("committed");
      expect(asked).toBe(2);
    },
  );

  describe("postgres: neon() over HTTP", () => {
    testBrokenLine(() => open(), proxy);
    testDriver({
      test,
      target: {
        name: "neon",
        open: (namespace, about) =>
          postgresDriver({ client: sql, table: namespace, timeout: about?.outage ? 1_000 : 15_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });
});
