import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, testBytes, withService } from "@sessions/driver-tests";
import pg from "pg";
import { afterAll, describe, onTestFinished, test } from "vitest";
import { fromUrl, postgresDriver } from "../src/index.ts";
import { newTable } from "./support.ts";

await withService("postgres", async (postgres) => {
  const proxy = await startProxy(postgres.url);
  const pool = new pg.Pool({ connectionString: proxy.url, connectionTimeoutMillis: 1000 });
  pool.on("error", () => {});
  afterAll(async () => {
    await pool.end();
    await proxy.close();
  });

  describe("postgres: a pool", () => {
    testDriver({
      test,
      target: {
        name: "postgres",
        open: (namespace, about) =>
          postgresDriver({ client: pool, table: namespace, timeout: about?.outage ? 1_000 : 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  const open = async (client: pg.Pool) => {
    const driver = postgresDriver({ client, table: newTable(), timeout: 500 });
    await driver.setup();
    onTestFinished(() => driver.teardown());
    return driver;
  };
  describe("a pool", () => {
    testBrokenLine(() => open(pool), proxy);
    testBytes({ open: () => open(pool), proxy, most: 600 });
  });
  describe("fromUrl", () => {
    testBrokenLine(async () => {
      const driver = await fromUrl(proxy.url, { table: newTable(), timeout: 500 });
      await driver.setup();
      onTestFinished(async () => {
        await driver.teardown();
        await driver.close();
      });
      return driver;
    }, proxy);
  });
});
