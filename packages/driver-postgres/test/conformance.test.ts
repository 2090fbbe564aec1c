import { testDriver } from "@sessions/conformance";
import { testBrokenLine, testBytes, withService } from "@sessions/driver-tests";
import { postgresUrl, startPostgresServer } from "@sessions/test-services/postgres";
import { openProxy } from "@sessions/test-services/proxy";
import pg from "pg";
import { afterAll, describe, onTestFinished, test } from "vitest";
import { fromUrl, postgresDriver } from "../src/index.ts";
import { newTable } from "./support.ts";

await withService("postgres", async (postgres) => {
  const proxy = await openProxy(postgres.url);
  const openPool = (connectionString: string, more: pg.PoolConfig = {}) => {
    const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 1000, ...more });
    pool.on("error", () => {});
    return pool;
  };
  const pool = openPool(proxy.url);
  const client = new pg.Client(postgres.url);
  await client.connect();
  afterAll(async () => {
    await Promise.all([pool.end(), client.end()]);
    await proxy.close();
  });
  const outage = { cut: proxy.cut, restore: proxy.restore };
  const target = (one: pg.Pool | pg.Client) => ({
    name: "postgres",
    open: (namespace: string) => postgresDriver({ client: one, table: namespace, timeout: 1000 }),
  });

  describe("postgres: a pool", () => {
    testDriver({ test, target: { ...target(pool), outage } });
  });
  // A lost single client stays lost, so the pool alone shows the rules about outages.
  describe("postgres: a single client", () => {
    testDriver({ test, target: target(client) });
  });

  // The driver must not depend on the client's parsers: applications turn them off, or read numbers as BigInt.
  const raw = openPool(proxy.url, { types: { getTypeParser: () => (text: unknown) => text } });
  afterAll(() => raw.end());
  describe("postgres: a pool that parses nothing", () => {
    testDriver({ test, target: { ...target(raw), outage } });
  });

  for (const level of ["repeatable read", "serializable"]) {
    const server = await startPostgresServer(["-c", `default_transaction_isolation=${level}`]);
    const strict = openPool(postgresUrl(server));
    afterAll(async () => {
      await strict.end();
      await server.stop();
    });
    describe(`postgres: ${level} by default`, () => {
      testDriver({ test, target: target(strict) });
    });
  }

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
