import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { testBrokenLine, testBytes, withService } from "@sessions/driver-tests";
import { createPool } from "mysql2";
import * as promises from "mysql2/promise";
import { afterAll, describe, onTestFinished, test } from "vitest";
import { fromUrl, type MysqlClientLike, mysqlDriver } from "../src/index.ts";
import { newTable } from "./support.ts";

await withService("mysql", async (service) => {
  const proxy = await startProxy(service.url);
  // Short, so that a connection that was begun during an outage is given up soon after.
  const connectTimeout = 300;
  const pools = {
    "promise pool": promises.createPool({ uri: proxy.url, connectTimeout }),
    "callback pool": createPool({ uri: proxy.url, connectTimeout }),
  };
  afterAll(async () => {
    await pools["promise pool"].end();
    await pools["callback pool"].promise().end();
    await proxy.close();
  });

  describe("mysql: promise pool", () => {
    testDriver({
      test,
      target: {
        name: "mysql",
        open: (namespace, about) =>
          mysqlDriver({
            client: pools["promise pool"],
            table: namespace,
            timeout: about?.outage ? 1_000 : 4_000,
          }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });

  for (const [kind, client] of Object.entries<MysqlClientLike>(pools))
    describe(kind, () => {
      const open = async () => {
        const driver = mysqlDriver({ client, table: newTable(), timeout: 1000 });
        await driver.setup();
        onTestFinished(driver.teardown);
        return driver;
      };
      testBrokenLine(open, proxy);
      testBytes({ open, proxy, most: 600 });
    });

  describe("mysql: fromUrl", () => {
    testBrokenLine(async () => {
      const url = proxy.url.replace("mysql:", "mariadb:");
      const driver = await fromUrl(url, { table: newTable(), timeout: 1000 });
      await driver.setup();
      onTestFinished(async () => {
        await driver.teardown();
        await driver.close();
      });
      return driver;
    }, proxy);
  });
});
