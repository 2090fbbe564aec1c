import { testDriver } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { startPgbouncer } from "@sessions/test-services/pgbouncer";
import pg from "pg";
import { afterAll, describe, test } from "vitest";
import { postgresDriver } from "../src/index.ts";

await withService("postgres", async (postgres) => {
  const bouncer = await startPgbouncer(postgres.url);
  if (!bouncer) {
    test.skip("behind PgBouncer: not found on this machine", () => {});
    return;
  }
  const { username, pathname } = new URL(postgres.url.replace(/^[a-z]+:/i, "ws:"));
  const connectionString = `postgres://${username}@${bouncer.host}:${bouncer.port}${pathname}`;
  const pool = new pg.Pool({ connectionString, max: 10 });
  pool.on("error", () => {});
  afterAll(async () => {
    await pool.end();
    await bouncer.stop();
  });
  describe("postgres: behind PgBouncer in transaction mode", () => {
    testDriver({
      test,
      target: {
        name: "postgres",
        open: (namespace) => postgresDriver({ client: pool, table: namespace, timeout: 2_000 }),
      },
    });
  });
});
