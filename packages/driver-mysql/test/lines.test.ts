import { inspect } from "node:util";
import { withService } from "@sessions/driver-tests";
import { createConnection } from "mysql2/promise";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fromUrl, type MysqlStatement, mysqlDriver } from "../src/index.ts";
import {
  begin,
  change,
  isNamed,
  manyFields,
  newId,
  newTable,
  openDriver,
  openPool,
  ownServer,
} from "./support.ts";

const UNAVAILABLE = { code: "ERR_SESSION_UNAVAILABLE" };

await withService("mysql", async (service) => {
  /** Locks the row, and returns the function that unlocks it. */
  async function lockRow(table: string, id: string): Promise<() => Promise<void>> {
    const connection = await createConnection(service.url);
    await connection.beginTransaction();
    await connection.query(`SELECT id FROM ${table} WHERE id = ? FOR UPDATE`, [Buffer.from(id)]);
    return () => connection.end();
  }

  describe("a call that has timed out", () => {
    test("returns no connection with an open transaction to the pool, and its transaction changes nothing", async () => {
      const { client, table, driver } = await openDriver({
        uri: service.url,
        connectionLimit: 2,
        timeout: 300,
      });
      const id = await begin(driver);
      const unlock = await lockRow(table, id);
      for (const late of [manyFields("late"), manyFields("late"), manyFields("late")])
        await expect(driver.commit(id, late, Date.now())).rejects.toMatchObject(UNAVAILABLE);
      // The server still waits for the lock, and the pool has only two connections.
      expect((await driver.load(id))?.version).toBe(1);
      await unlock();
      expect(await driver.commit(id, change({ "a/x": "1" }), Date.now())).toBe("committed");
      expect((await driver.load(id))?.version).toBe(2);
      for (const connection of [await client.getConnection(), await client.getConnection()]) {
        const [answer] = await connection.query("DO 0");
        expect(Number(Object(answer).serverStatus) & 1).toBe(0);
        connection.release();
      }
    });

    test("on a single connection rolls back, and the calls that waited behind it are not sent", async () => {
      const { table, driver } = await openDriver({ uri: service.url });
      const id = await begin(driver);
      const client = await createConnection(service.url);
      onTestFinished(() => client.end());
      const single = mysqlDriver({ client, table, timeout: 300 });
      const sibling = mysqlDriver({ client, table, timeout: 300 });
      const unlock = await lockRow(table, id);
      const outcomes = await Promise.allSettled([
        single.commit(id, manyFields("late"), Date.now()),
        single.commit(id, change({ "a/y": "late" }), Date.now()),
        sibling.commit(id, change({ "a/z": "late" }), Date.now()),
        sibling.load(id),
      ]);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
      await unlock();
      expect(await vi.waitFor(() => single.commit(id, change({ "a/x": "1" }), Date.now()))).toBe("committed");
      const record = await driver.load(id);
      expect(record?.version).toBe(2);
      expect([...(record?.fields ?? [])]).toEqual([["a/x", "1"]]);
    });

    test("while it waited for a connection of the pool is never sent", async () => {
      const { table, driver } = await openDriver({ uri: service.url });
      const id = await begin(driver);
      const narrow = openPool({ uri: service.url, connectionLimit: 1 });
      const held = await narrow.getConnection();
      const waiting = mysqlDriver({ client: narrow, table, timeout: 200 });
      await expect(waiting.commit(id, change({ "a/x": "late" }), Date.now())).rejects.toMatchObject(
        UNAVAILABLE,
      );
      held.release();
      expect((await waiting.load(id))?.version).toBe(1);
      const again = await narrow.getConnection();
      expect(again.threadId).toBe(held.threadId);
      again.release();
    });
  });

  test("a single connection that is lost is DriverUnavailableError from then on", async () => {
    const { client: admin, table } = await openDriver({ uri: service.url });
    const client = await createConnection(service.url);
    client.on("error", () => {});
    const driver = mysqlDriver({ client, table, timeout: 500 });
    const id = await begin(driver);
    await admin.query(`KILL ${client.threadId}`);
    for (let i = 0; i < 3; i++) await expect(driver.load(id)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("a statement that was rolled back by a deadlock is tried again", async () => {
    const { client, table, driver } = await openDriver({ uri: service.url });
    const now = Date.now();
    const ids = ["a".repeat(32), "b".repeat(32)];
    for (const id of ids) await driver.create(id, { expiresAt: now - 1000, fields: new Map() }, now - 2000);
    const deadlocks: unknown[] = [];
    const watched = {
      async getConnection() {
        const connection = await client.getConnection();
        return {
          release: () => connection.release(),
          destroy: () => connection.destroy(),
          query: (statement: MysqlStatement) =>
            connection.query(statement).catch((error: unknown) => {
              deadlocks.push(Object(error).code);
              throw error;
            }),
        };
      },
    };
    const sweeper = mysqlDriver({ client: watched, table, timeout: 10_000 });
    const other = await createConnection(service.url);
    onTestFinished(() => other.end());
    await other.beginTransaction();
    const lock = (id = "") =>
      other.query(`SELECT id FROM ${table} WHERE id = ? FOR UPDATE`, [Buffer.from(id)]);
    await lock(ids[1]);
    // The server rolls back the transaction that has done less.
    const rows = Array.from({ length: 100 }, () => [Buffer.from(newId()), 1, now + 10_000, "{}"]);
    await other.query(`INSERT INTO ${table} (id, version, expires_at, fields) VALUES ?`, [rows]);
    const sweeping = sweeper.sweep({ after: 0, before: now, limit: 10 });
    // The server refreshes this list only if it was not read for 0.1 s, so read it less often.
    await vi.waitFor(
      async () => {
        const [waiting] = await client.query(
          "SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE ?",
          [`DELETE%${table}%`],
        );
        expect(waiting).toHaveLength(1);
      },
      { interval: 200, timeout: 8_000 },
    );
    await lock(ids[0]);
    await other.commit();
    expect(await sweeping).toBe(2);
    expect(deadlocks).toEqual(["ER_LOCK_DEADLOCK"]);
  });

  test("a missing table is a SessionSetupError that says what to do and holds no statement", async () => {
    const driver = mysqlDriver({ client: openPool({ uri: service.url }), table: newTable() });
    const secret = "a value that must not be in a log";
    const error = await driver
      .commit(newId(), change({ "a/x": secret }), Date.now())
      .catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "ERR_SESSION_SETUP", message: expect.stringContaining("setup()") });
    const shown = inspect(error, { depth: 9, showHidden: true });
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret).toString("hex"));
  });

  describe.skipIf(isNamed(service))("servers with other settings", () => {
    test("a statement over max_allowed_packet is SessionTooLargeError, changes nothing, and costs no connection", async () => {
      const { url } = await ownServer("--max-allowed-packet=1M");
      const client = await createConnection(url);
      onTestFinished(() => client.end());
      const driver = mysqlDriver({ client, timeout: 5_000 });
      await driver.setup();
      const id = await begin(driver);
      const large = "x".repeat(1 << 20);
      const now = Date.now();
      await expect(driver.commit(id, change({ "a/x": large }), now)).rejects.toMatchObject({
        code: "ERR_SESSION_TOO_LARGE",
      });
      const many = change({ ...Object.fromEntries(manyFields("x").fields), "a/x": large });
      await expect(driver.commit(id, many, now)).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      await expect(
        driver.create(newId(), { expiresAt: now + 1000, fields: new Map([["a/x", large]]) }, now),
      ).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      expect(await driver.load(id)).toMatchObject({ version: 1, fields: new Map([["a/x", "0"]]) });
      expect(await driver.commit(id, change({ "a/x": "1" }), now)).toBe("committed");
      expect(await driver.check()).toEqual([expect.stringContaining("max_allowed_packet is 1048576")]);
    });

    test("a read-only server is DriverUnavailableError, and its connection is not used again", async () => {
      const { url } = await ownServer();
      const admin = openPool({ uri: url });
      const setup = mysqlDriver({ client: admin });
      await setup.setup();
      const id = await begin(setup);
      await admin.query("CREATE USER app@'127.0.0.1' IDENTIFIED BY 'p'");
      await admin.query("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions_test.* TO app@'127.0.0.1'");
      const driver = await fromUrl(url.replace("root", "app:p"));
      onTestFinished(() => driver.close());
      expect(await driver.commit(id, change({ "a/x": "1" }), Date.now())).toBe("committed");
      await admin.query("SET GLOBAL read_only = 1");
      const refused = driver.commit(id, change({ "a/x": "2" }), Date.now());
      await expect(refused).rejects.toMatchObject(UNAVAILABLE);
      expect(await driver.check()).toEqual([expect.stringContaining("read-only")]);
      expect((await driver.load(id))?.version).toBe(2);
      await admin.query("SET GLOBAL read_only = 0");
      expect(await driver.commit(id, change({ "a/x": "3" }), Date.now())).toBe("committed");
    });
  });
});
