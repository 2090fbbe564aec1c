import { setTimeout } from "node:timers/promises";
import { startProxy } from "@sessions/conformance/proxy";
import { commitThroughFailover, withService } from "@sessions/driver-tests";
import { startAddress } from "@sessions/test-services/address";
import { mysqlUrl } from "@sessions/test-services/mysql";
import type { Pool, RowDataPacket } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { mysqlDriver } from "../src/index.ts";
import { newTable, openPool, ownServer } from "./support.ts";

/** How long the replica lags before the primary is killed. */
const LAG_MS = 500;

interface Words {
  /** Loads what semi-synchronous replication needs, where it is no part of the server. */
  readonly primary: readonly string[];
  readonly replica: readonly string[];
  readonly follow: (port: number) => string;
  readonly semiSync: readonly string[];
}

const WORDS: Record<"MariaDB" | "MySQL", Words> = {
  MariaDB: {
    primary: [],
    replica: ["--rpl-semi-sync-slave-enabled=ON"],
    follow: (port) =>
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${port}, MASTER_USER='root', MASTER_CONNECT_RETRY=1`,
    semiSync: [
      "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC",
      "SET GLOBAL rpl_semi_sync_master_timeout = 3600000",
      "SET GLOBAL rpl_semi_sync_master_enabled = ON",
    ],
  },
  MySQL: {
    primary: ["--plugin-load-add=semisync_source.so"],
    replica: ["--plugin-load-add=semisync_replica.so", "--rpl-semi-sync-replica-enabled=ON"],
    follow: (port) =>
      `CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${port}, SOURCE_USER='root', SOURCE_CONNECT_RETRY=1, GET_SOURCE_PUBLIC_KEY=1`,
    semiSync: [
      "SET GLOBAL rpl_semi_sync_source_timeout = 3600000",
      "SET GLOBAL rpl_semi_sync_source_enabled = ON",
    ],
  },
};

/** The position in the primary's log that the replica has read, and the one that it has executed. */
async function positions(replica: Pool): Promise<{ read: unknown; executed: unknown; connected: boolean }> {
  const [[status]] = await replica.query<RowDataPacket[]>("SHOW REPLICA STATUS");
  const of = (name: string): unknown =>
    status?.[name.replace("*", "Source")] ?? status?.[name.replace("*", "Master")];
  const running = status?.["Replica_IO_Running"] ?? status?.["Slave_IO_Running"];
  return { read: of("Read_*_Log_Pos"), executed: of("Exec_*_Log_Pos"), connected: running === "Yes" };
}

/** A primary and a replica that can be paused, or whose line can be stalled, and a driver whose address moves to the replica. */
async function startPair({ primary, replica, follow, semiSync }: Words, isSemiSync: boolean) {
  const first = await ownServer("--server-id=1", "--log-bin=log", ...primary);
  const second = await ownServer("--server-id=2", "--log-bin=log", ...replica);
  const line = await startProxy(first.url);
  onTestFinished(line.close);
  const onFirst = openPool({ uri: first.url });
  const onSecond = openPool({ uri: second.url });
  await onSecond.query(follow(line.port));
  await onSecond.query("START REPLICA");
  await expect.poll(() => positions(onSecond), { timeout: 20_000 }).toMatchObject({ connected: true });
  if (isSemiSync) for (const statement of semiSync) await onFirst.query(statement);

  const address = await startAddress(first.server.port);
  onTestFinished(address.close);
  const client = openPool({ uri: mysqlUrl(address), connectionLimit: 24, connectTimeout: 1_000 });
  const driver = mysqlDriver({ client, table: newTable(), timeout: "3s" });
  await driver.setup();
  async function failOver(): Promise<void> {
    await first.server.stop("SIGKILL");
    // What it has received and not yet executed would be lost with the next statement.
    await expect
      .poll(
        async () => {
          const { read, executed } = await positions(onSecond);
          return read === executed;
        },
        { timeout: 20_000 },
      )
      .toBe(true);
    for (const statement of ["STOP REPLICA", "RESET REPLICA ALL"]) await onSecond.query(statement);
    address.moveTo(second.server.port);
  }
  /** Without a replica that answers, semi-synchronous replication waits. */
  const pause = () => onSecond.query("STOP REPLICA");
  const resume = () => onSecond.query("START REPLICA");
  return { driver, line, pause, resume, failOver };
}

await withService("mysql", ({ version }) => {
  const words = WORDS[version.startsWith("MariaDB") ? "MariaDB" : "MySQL"];
  describe("a primary is killed under load, and its replica promoted", () => {
    test("nothing acknowledged is lost with semi-synchronous replication; without the replica nothing is acknowledged", async () => {
      const { driver, pause, resume, failOver } = await startPair(words, true);
      const figures = await commitThroughFailover(driver, async (acknowledged) => {
        await pause();
        // What the replica had confirmed is still acknowledged.
        await setTimeout(LAG_MS);
        const before = acknowledged();
        await setTimeout(LAG_MS);
        expect(acknowledged()).toBe(before);
        await resume();
        await expect.poll(acknowledged, { timeout: 20_000 }).toBeGreaterThan(before + 100);
        await failOver();
      });
      expect(figures).toMatchObject({ lost: 0, conflicts: 0 });
    }, 120_000);

    test("without it, what was acknowledged while the replica lagged is lost", async () => {
      const { driver, line, failOver } = await startPair(words, false);
      const figures = await commitThroughFailover(driver, async () => {
        await line.stall();
        await setTimeout(LAG_MS);
        await failOver();
      });
      expect(figures.lost).toBeGreaterThan(0);
    }, 120_000);
  });
});
