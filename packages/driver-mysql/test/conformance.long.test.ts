import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { createConnection, createPool } from "mysql2";
import * as promises from "mysql2/promise";
import { afterAll, describe, test } from "vitest";
import { fromUrl, type MysqlClientLike, mysqlDriver } from "../src/index.ts";

await withService("mysql", async (service) => {
  const proxy = await startProxy(service.url);
  // Short, so that a connection that was begun during an outage is given up soon after.
  const connectTimeout = 300;
  const pools = { "callback pool": createPool({ uri: proxy.url, connectTimeout }) };
  const connections = {
    "promise connection": await promises.createConnection(service.url),
    "callback connection": createConnection(service.url),
  };
  afterAll(async () => {
    for (const client of [...Object.values(pools), ...Object.values(connections)])
      await ("promise" in client ? client.promise() : client).end();
    await proxy.close();
  });

  for (const [kind, client] of Object.entries<MysqlClientLike>({ ...pools, ...connections })) {
    const isPool = kind in pools;
    describe(`mysql: ${kind}`, () => {
      testDriver({
        test,
        target: {
          name: "mysql",
          open: (namespace, about) =>
            mysqlDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 4_000 }),
          // A single connection that was lost does not come back.
          ...(isPool && { outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop } }),
        },
      });
    });
  }

  describe("mysql: fromUrl", () => {
    const url = proxy.url.replace("mysql:", "mariadb:");
    testDriver({
      test,
      target: {
        name: "mysql",
        open: (namespace, about) =>
          fromUrl(url, { table: namespace, timeout: about?.outage ? 1_000 : 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });
});
