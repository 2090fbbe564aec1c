import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, withService } from "@sessions/driver-tests";
import * as mariadb from "mariadb";
import * as mariadbCallback from "mariadb/callback";
import mysql from "mysql";
import { afterAll, describe, test } from "vitest";
import { type AnyMysqlClientLike, mysqlDriver } from "../src/index.ts";
import { addressOf, newTable } from "./support.ts";

await withService("mysql", async (service) => {
  const proxy = await startProxy(service.url);
  const line = addressOf(proxy.url);
  const server = addressOf(service.url);

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
  const cluster = mariadb.createPoolCluster({ removeNodeErrorCount: Number.POSITIVE_INFINITY });
  cluster.add("one", { ...line, acquireTimeout: 400 });
  const pool = mariadb.createPool({ ...line, ...unusual });
  const callbackPool = mariadbCallback.createPool(line);
  const mysqljsPool = mysql.createPool({ ...line, ...unusual, charset: "latin1_swedish_ci" });
  const connection = await mariadb.createConnection(server);
  const clients: Record<string, AnyMysqlClientLike> = {
    "mariadb, a pool": pool,
    "mariadb, a pool with callbacks": callbackPool,
    "mariadb, a cluster": cluster,
    // It cannot log in on a MySQL of today.
    ...(service.version.startsWith("MariaDB") && { "mysql, a pool": mysqljsPool }),
  };
  const connections: Record<string, AnyMysqlClientLike> = { "mariadb, a connection": connection };
  afterAll(async () => {
    await pool.end();
    callbackPool.end(() => {});
    await cluster.end();
    mysqljsPool.end();
    await connection.end();
    await proxy.close();
  });

  for (const [name, client] of Object.entries({ ...clients, ...connections })) {
    const isPool = name in clients;
    describe(`mysql: ${name}`, () => {
      if (isPool)
        testBrokenLine(() => {
          const driver = mysqlDriver({ client, table: newTable(), timeout: 1000 });
          return driver.setup().then(() => driver);
        }, proxy);
      testDriver({
        test,
        target: {
          name: "mysql",
          // Some cases make hundreds of calls at once, which takes a busy machine seconds.
          open: (namespace, about) =>
            mysqlDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 15_000 }),
          // A single connection that was lost does not come back.
          ...(isPool && { outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop } }),
        },
      });
    });
  }
});
