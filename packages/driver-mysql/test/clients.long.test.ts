import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import * as mariadb from "mariadb";
import * as mariadbCallback from "mariadb/callback";
import mysql from "mysql";
import mysql2 from "mysql2";
import { createPoolCluster } from "mysql2/promise";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { type AnyMysqlClientLike, mysqlDriver } from "../src/index.ts";
import { addressOf, begin, change, expectAllMethods, newTable, openDriver } from "./support.ts";

await withService("mysql", async (service) => {
  const proxy = await startProxy(service.url);
  const line = addressOf(proxy.url);
  const server = addressOf(service.url);
  // The package mysql cannot log in on a MySQL of today.
  const isMariadb = service.version.startsWith("MariaDB");

  // The settings that would break the most rules, were they used.
  const unusual = {
    ...{
      rowsAsArray: false,
      nestTables: true,
      metaAsArray: true,
      namedPlaceholders: true,
      dateStrings: true,
    },
    ...{ supportBigNumbers: true, bigNumberStrings: true, bigIntAsNumber: true, multipleStatements: true },
    ...{ charset: "LATIN1", timezone: "+05:00", typeCast: () => "not what it was" },
  };
  const strange = {
    ...unusual,
    charset: "latin1_swedish_ci",
    queryFormat: (sql: string) => sql.replace(/[:?]/g, ""),
  };

  const open = {
    "mariadb, a pool": (options: object) => {
      const pool = mariadb.createPool({ ...line, ...unusual, ...options });
      return { client: pool, on: pool, end: () => pool.end() };
    },
    ...(isMariadb && {
      "mysql, a pool": (options: object) => {
        const pool = mysql.createPool({ ...line, ...strange, ...options });
        return { client: pool, on: pool, end: async () => pool.end() };
      },
    }),
  };

  describe.each(Object.entries(open))("mysql: %s", (_, openClient) => {
    const { client, end } = openClient({});
    afterAll(end);
    testBrokenLine(async () => {
      const driver = mysqlDriver({ client, table: newTable(), timeout: 1000 });
      await driver.setup();
      return driver;
    }, proxy);
    testDriver({
      test,
      target: {
        name: "mysql",
        // Some cases make hundreds of calls at once, which takes a busy machine seconds.
        open: (namespace, about) =>
          mysqlDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 15_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });

    test("with autocommit off, reads and writes are refused, and the write is not kept", async () => {
      const { table, driver } = await openDriver({ uri: service.url });
      const id = await begin(driver);
      const off = openClient({ connectionLimit: 1, initSql: "SET autocommit = 0" });
      off.on.on("connection", (connection: { query(sql: string): unknown }) => {
        connection.query("SET autocommit = 0");
      });
      const late = mysqlDriver({ client: off.client, table });
      for (const call of [() => late.load(id), () => late.commit(id, change({ "a/x": "1" }), Date.now())])
        await expect(call()).rejects.toMatchObject({ code: "ERR_SESSION_CONFIG" });
      expect((await driver.load(id))?.version).toBe(1);
      expect(await driver.commit(id, change({ "a/x": "2" }), Date.now())).toBe("committed");
      await off.end();
    });

    test("a call that timed out while it waited for the pool is never sent", async () => {
      const { table, driver } = await openDriver({ uri: service.url });
      const id = await begin(driver);
      const narrow = openClient({ connectionLimit: 1 });
      const single = mysqlDriver({ client: narrow.client, table, timeout: 300 });
      await single.load(id);
      proxy.delay(500);
      const late = [1, 2].map((n) =>
        single.commit(id, { ...change({ "a/x": `${n}` }), ifVersion: 1 }, Date.now()),
      );
      for (const outcome of await Promise.allSettled(late))
        expect(outcome).toMatchObject({ status: "rejected", reason: { code: "ERR_SESSION_UNAVAILABLE" } });
      await proxy.restore();
      await expect.poll(() => single.load(id).catch(() => undefined), { timeout: 10_000 }).toBeDefined();
      expect((await driver.load(id))?.fields.get("a/x")).not.toBe("2");
      await narrow.end();
    });

    test("a closed client is named", async () => {
      const closed = openClient({});
      await closed.end();
      await expect(mysqlDriver({ client: closed.client, table: "t" }).load("x")).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
        message: expect.stringContaining("the client is closed"),
      });
    });
  });

  describe("every method works on what the clients make beside a pool", () => {
    const mysql2Cluster = createPoolCluster();
    const mysql2CallbackCluster = mysql2.createPoolCluster();
    const mariadbCluster = mariadb.createPoolCluster();
    const mariadbCallbackCluster = mariadbCallback.createPoolCluster();
    const mysqljsCluster = mysql.createPoolCluster();
    const clusters: { add(name: string, options: object): void }[] = [
      mysql2Cluster,
      mysql2CallbackCluster,
      mariadbCluster,
      mariadbCallbackCluster,
      mysqljsCluster,
    ];
    // Nothing listens on port 1.
    for (const cluster of clusters) {
      cluster.add("REPLICA1", { ...server, port: 1 });
      cluster.add("PRIMARY1", server);
    }
    const callbackPool = mariadbCallback.createPool(server);
    const callbackConnection = mariadbCallback.createConnection(server);
    const mysqljsConnection = mysql.createConnection(server);
    afterAll(async () => {
      for (const cluster of [mysql2Cluster, mariadbCluster]) await cluster.end();
      for (const cluster of [mysql2CallbackCluster, mysqljsCluster]) cluster.end();
      for (const client of [mariadbCallbackCluster, callbackPool, callbackConnection]) client.end(() => {});
      mysqljsConnection.destroy();
    });
    const clients: Record<string, AnyMysqlClientLike> = {
      "mysql2, nodes of a cluster with promises": mysql2Cluster.of("PRIMARY*"),
      "mysql2, nodes of a cluster with callbacks": mysql2CallbackCluster.of("PRIMARY*"),
      "mariadb, nodes of a cluster": mariadbCluster.of("PRIMARY*"),
      "mariadb, nodes of a cluster with callbacks": mariadbCallbackCluster.of("PRIMARY*"),
      "mariadb, a pool with callbacks": callbackPool,
      "mariadb, a connection with callbacks": callbackConnection,
      ...(isMariadb && {
        "mysql, a connection": mysqljsConnection,
        "mysql, nodes of a cluster": mysqljsCluster.of("PRIMARY*"),
      }),
    };
    test.each(Object.entries(clients))("%s", (_, client) => expectAllMethods(client));

    test("mariadb, a connection", async () => {
      const connection = await mariadb.createConnection(server);
      onTestFinished(() => connection.end());
      await expectAllMethods(connection);
    });

    test("a connection that was closed is named", async () => {
      const connection = await mariadb.createConnection(server);
      await connection.end();
      const mysqljs = mysql.createConnection(server);
      mysqljs.destroy();
      for (const client of [connection, ...(isMariadb ? [mysqljs] : [])])
        await expect(mysqlDriver({ client, table: "t" }).load("x")).rejects.toMatchObject({
          code: "ERR_SESSION_UNAVAILABLE",
          message: expect.stringContaining("the client is closed"),
        });
    });
  });
});
