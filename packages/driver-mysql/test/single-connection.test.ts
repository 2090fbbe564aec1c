import { createSessionManager } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import * as mariadb from "mariadb";
import * as mariadbCallback from "mariadb/callback";
import mysql from "mysql";
import mysql2 from "mysql2";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AnyMysqlClientLike, mysqlDriver } from "../src/index.ts";
import { addressOf, begin, change, HOUR, manyFields, newId, newTable, openPool } from "./support.ts";

/** A connection of a client, and how the application sends a statement on it. */
interface Single {
  readonly client: AnyMysqlClientLike;
  send(sql: string): Promise<unknown>;
  end(): unknown;
}

await withService("mysql", async (service) => {
  const server = addressOf(service.url);
  // The package mysql cannot log in on a MySQL of today.
  const isMariadb = service.version.startsWith("MariaDB");

  const withCallback = (
    query: (sql: string, done: (error: unknown, answer: unknown) => void) => unknown,
  ) => ({
    send: (sql: string) =>
      new Promise<unknown>((resolve, reject) => {
        query(sql, (error, answer) => (error ? reject(error) : resolve(answer)));
      }),
  });
  const open: Record<string, () => Promise<Single>> = {
    async "mysql2 with promises"() {
      const client = await createConnection(server);
      return { client, send: async (sql) => (await client.query(sql))[0], end: () => client.end() };
    },
    async "mysql2 with callbacks"() {
      const client = mysql2.createConnection(server);
      return { client, ...withCallback((sql, done) => client.query(sql, done)), end: () => client.end() };
    },
    async "mysql2, a connection of a pool"() {
      const pool = openPool(server);
      const client = await pool.getConnection();
      return { client, send: async (sql) => (await client.query(sql))[0], end: () => client.release() };
    },
    async "mariadb with promises"() {
      const client = await mariadb.createConnection(server);
      return { client, send: (sql) => client.query(sql), end: () => client.end() };
    },
    async "mariadb with callbacks"() {
      const client = mariadbCallback.createConnection(server);
      return {
        client,
        ...withCallback((sql, done) => client.query(sql, done)),
        end: () => client.end(() => {}),
      };
    },
    ...(isMariadb && {
      async mysql() {
        const client = mysql.createConnection(server);
        return { client, ...withCallback((sql, done) => client.query(sql, done)), end: () => client.end() };
      },
    }),
  };

  describe.each(Object.entries(open))("a single connection: %s", (_, openSingle) => {
    /** A driver on it with a table that has a live and an expired record, and the application's own table. */
    async function prepare() {
      const single = await openSingle();
      const admin = openPool({ uri: service.url });
      const [table, own] = [newTable(), newTable()];
      const elsewhere = mysqlDriver({ client: admin, table });
      await elsewhere.setup();
      await admin.query(`CREATE TABLE ${own} (n INT)`);
      onTestFinished(async () => {
        await single.end();
        const last = openPool({ uri: service.url });
        await mysqlDriver({ client: last, table }).teardown();
        await last.query(`DROP TABLE ${own}`);
      });
      const id = await begin(elsewhere);
      const now = Date.now();
      await elsewhere.create(newId(), { expiresAt: now - 1, fields: new Map() }, now - 2);
      const rows = async () => {
        const [found] = await admin.query<RowDataPacket[]>(
          `SELECT (SELECT COUNT(*) FROM ${own}) AS own, (SELECT GROUP_CONCAT(version) FROM ${table}) AS versions`,
        );
        return found[0];
      };
      return { ...single, driver: mysqlDriver({ client: single.client, table }), table, own, id, rows };
    }
    type Prepared = Awaited<ReturnType<typeof prepare>>;

    const record = { expiresAt: Date.now() + HOUR, fields: new Map([["a/x", "1"]]) };
    const calls: Record<string, (prepared: Prepared) => Promise<unknown>> = {
      load: ({ driver, id }) => driver.load(id),
      create: ({ driver }) => driver.create(newId(), record, Date.now()),
      "a small commit": ({ driver, id }) => driver.commit(id, change({ "a/x": "1" }), Date.now()),
      "a commit of more than 100 fields": ({ driver, id }) => driver.commit(id, manyFields("1"), Date.now()),
      "a large commit that is a compare-and-set": ({ driver, id }) =>
        driver.commit(id, { ...manyFields("1"), ifVersion: 1 }, Date.now()),
      destroy: ({ driver, id }) => driver.destroy(id, Date.now()),
      list: ({ driver }) => driver.list({ limit: 9 }, Date.now()),
      destroyAll: ({ driver }) => createSessionManager({ driver }).destroyAll({ principal: "alice" }),
      sweep: ({ driver }) => driver.sweep({ after: 0, before: Date.now(), limit: 9 }),
      setup: ({ driver }) => driver.setup(),
      "setup() of what is missing": ({ client }) => mysqlDriver({ client, table: newTable() }).setup(),
      check: ({ driver }) => driver.check(),
      teardown: ({ driver }) => driver.teardown(),
    };

    // A call that took part in the application's transaction would end it, or be kept or rolled back with it.
    const ends = [
      ["in a transaction that is rolled back", ["START TRANSACTION", "INSERT"], "ROLLBACK"],
      [
        "with autocommit off, in a transaction that is rolled back",
        ["SET autocommit = 0", "INSERT"],
        "ROLLBACK",
      ],
      ["with autocommit off, before a transaction that is committed", ["SET autocommit = 0"], "COMMIT"],
    ] as const;
    test.each(ends)("%s, every call is refused and changes nothing", async (_, begun, end) => {
      const prepared = await prepare();
      const { send, own, rows } = prepared;
      const before = await rows();
      expect(before).toEqual({ own: 0, versions: "1,1" });
      for (const [name, call] of Object.entries(calls)) {
        for (const sql of begun) await send(sql.replace("INSERT", `INSERT INTO ${own} VALUES (1)`));
        const outcome = await call(prepared).catch((error: unknown) => error);
        await send(end);
        expect([name, outcome, await rows()]).toEqual([
          name,
          expect.objectContaining({
            code: "ERR_SESSION_CONFIG",
            message: expect.stringContaining("Give sessions a pool or a connection of their own"),
          }),
          before,
        ]);
      }
    });

    test("after the application's transaction every call works, after one round trip more", async () => {
      const prepared = await prepare();
      const { send, own, driver, id, rows } = prepared;
      const counted = async () => {
        const answer = await send("SHOW SESSION STATUS LIKE 'Questions'");
        return Number(JSON.stringify(answer).match(/"Value":"(\d+)"/)?.[1]);
      };
      await send("START TRANSACTION");
      await send(`INSERT INTO ${own} VALUES (1)`);
      await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
      await send("COMMIT");
      const trips: Record<string, number> = {};
      for (const name of [
        "load",
        "create",
        "a small commit",
        "a commit of more than 100 fields",
        "destroy",
      ]) {
        const start = await counted();
        await calls[name]?.(prepared);
        // The second reading counts itself.
        trips[name] = (await counted()) - start - 1;
      }
      expect(trips).toEqual({
        load: 2,
        create: 2,
        "a small commit": 2,
        "a commit of more than 100 fields": 5,
        destroy: 2,
      });
      expect(await rows()).toMatchObject({ own: 1 });
    });

    test("a call that timed out while the question was on its way sends no statement", async () => {
      const { client, table, send, id, rows } = await prepare();
      const before = await rows();
      const driver = mysqlDriver({ client, table, timeout: 100 });
      // The client sends the application's own statement first, so the question waits for its end.
      const slow = send("DO SLEEP(0.3)");
      await expect(driver.commit(id, change({ "a/x": "late" }), Date.now())).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
      });
      await slow;
      await send("DO 0");
      expect(await rows()).toEqual(before);
    });
  });

  test("drivers on a connection and on its form with promises take turns", async () => {
    const connection = mysql2.createConnection(server);
    const table = newTable();
    const drivers = [connection, connection.promise()].map((client) => mysqlDriver({ client, table }));
    const [first] = drivers;
    await first?.setup();
    onTestFinished(async () => {
      await first?.teardown();
      connection.end();
    });
    const ids = await Promise.all(drivers.map((driver) => begin(driver)));
    const small = [1, 2, 3].map((n) => [0, change({ "a/x": `${n}` })] as const);
    const commits = [...small, [1, manyFields("1")] as const].map(([n, it]) =>
      drivers[n]?.commit(ids[n] ?? "", it, Date.now()),
    );
    expect(await Promise.all(commits)).toEqual(Array(4).fill("committed"));
  });
});
