import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { postgresUrl, startPostgresServer } from "@sessions/test-services/postgres";
import pg from "pg";
import { afterAll, describe, test } from "vitest";
import { postgresDriver } from "../src/index.ts";

await withService("postgres", async (postgres) => {
  const proxy = await startProxy(postgres.url);
  const openPool = (connectionString: string, more: pg.PoolConfig = {}) => {
    const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 1000, ...more });
    pool.on("error", () => {});
    return pool;
  };
  const client = new pg.Client(postgres.url);
  await client.connect();
  afterAll(async () => {
    await client.end();
    await proxy.close();
  });
  const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };
  const target = (one: pg.Pool | pg.Client) => ({
    name: "postgres",
    open: (namespace: string, about?: { readonly outage: boolean }) =>
      postgresDriver({ client: one, table: namespace, timeout: about?.outage ? 1_000 : 10_000 }),
  });

  // A lost one does not come back, so its outage is no rule to keep: the pool keeps it.
  describe("postgres: a single client", () => {
    testDriver({ test, target: target(client) });
  });

  // Applications tell the client to parse nothing, or numbers as BigInt; the driver must not depend on it.
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
});
