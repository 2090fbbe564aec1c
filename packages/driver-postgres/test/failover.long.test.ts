import { setTimeout } from "node:timers/promises";
import { startProxy } from "@sessions/conformance/proxy";
import { commitThroughFailover, withService } from "@sessions/driver-tests";
import { startAddress } from "@sessions/test-services/address";
import { postgresUrl, startPostgresServer, startPostgresStandby } from "@sessions/test-services/postgres";
import { describe, expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { newTable, openPool } from "./support.ts";

/** How long the standby lags before the primary is killed. */
const LAG_MS = 500;

/** A primary and a standby whose line can be stalled, and a driver whose address moves to the standby. */
async function startPair(...settings: string[]) {
  const primary = await startPostgresServer(settings);
  onTestFinished(() => primary.stop("SIGKILL"));
  const line = await startProxy(postgresUrl(primary));
  onTestFinished(line.close);
  const standby = await startPostgresStandby(primary, line, ["-c", "wal_retrieve_retry_interval=100ms"]);
  onTestFinished(() => standby.stop("SIGKILL"));
  const address = await startAddress(primary.port);
  onTestFinished(address.close);
  const client = openPool(postgresUrl(address), { max: 24 });
  const driver = postgresDriver({ client, table: newTable(), timeout: "2s" });
  await driver.setup();
  async function failOver(): Promise<void> {
    await primary.stop("SIGKILL");
    await openPool(postgresUrl(standby)).query("SELECT pg_promote()");
    address.moveTo(standby.port);
  }
  return { driver, line, failOver };
}

await withService("postgres", () => {
  describe("a primary is killed under load, and its standby promoted", () => {
    test("nothing acknowledged is lost with synchronous_standby_names; without the standby nothing is acknowledged", async () => {
      const { driver, line, failOver } = await startPair("-c", "synchronous_standby_names=*");
      const figures = await commitThroughFailover(driver, async (acknowledged) => {
        await line.stall();
        // What the standby had confirmed is still acknowledged.
        await setTimeout(LAG_MS);
        const before = acknowledged();
        await setTimeout(LAG_MS);
        expect(acknowledged()).toBe(before);
        await line.restore();
        await expect.poll(acknowledged, { timeout: 10_000 }).toBeGreaterThan(before + 100);
        await failOver();
      });
      expect(figures).toMatchObject({ lost: 0, conflicts: 0 });
    });

    test("without it, what was acknowledged while the standby lagged is lost", async () => {
      const { driver, line, failOver } = await startPair();
      const figures = await commitThroughFailover(driver, async () => {
        await line.stall();
        await setTimeout(LAG_MS);
        await failOver();
      });
      expect(figures.lost).toBeGreaterThan(0);
    });
  });
});
