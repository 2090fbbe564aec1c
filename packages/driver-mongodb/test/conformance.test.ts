import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { MongoClient } from "mongodb";
import { afterAll, describe, test } from "vitest";
import { mongodbDriver } from "../src/index.ts";

await withService("mongodb", async (mongodb) => {
  const proxy = await startProxy(mongodb.url);
  const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };
  const client = new MongoClient(proxy.url);
  afterAll(async () => {
    await client.close();
    await proxy.close();
  });

  describe("mongodb: client", () => {
    testDriver({
      test,
      target: {
        name: "mongodb",
        open: (namespace, about) =>
          mongodbDriver({ client, collection: namespace, timeout: about?.outage ? 1_000 : 4_000 }),
        outage,
      },
    });
  });
});
