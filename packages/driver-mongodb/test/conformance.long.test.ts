import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { MongoClient } from "mongodb";
import { afterAll, describe, test } from "vitest";
import { fromUrl, mongodbDriver } from "../src/index.ts";

await withService("mongodb", async (mongodb) => {
  const proxy = await startProxy(mongodb.url);
  const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };
  const client = new MongoClient(proxy.url);
  afterAll(async () => {
    await client.close();
    await proxy.close();
  });

  // As unlike the defaults as a collection can be: the driver says with each call what it needs.
  describe("mongodb: collection with settings of its own", () => {
    const settings = {
      readPreference: "secondaryPreferred",
      readConcern: { level: "available" },
      promoteValues: false,
      ignoreUndefined: true,
      retryWrites: false,
    } as const;
    const open = (namespace: string, about?: { outage: boolean }) =>
      mongodbDriver({
        collection: client.db("other").collection(namespace, settings),
        timeout: about?.outage ? 1_000 : 4_000,
      });
    testDriver({ test, target: { name: "mongodb", open, outage } });
  });

  describe("mongodb: fromUrl", () => {
    const open = (collection: string, about?: { outage: boolean }) =>
      fromUrl(proxy.url, { collection, timeout: about?.outage ? 1_000 : 4_000 });
    testDriver({ test, target: { name: "mongodb", open, outage } });
  });
});
