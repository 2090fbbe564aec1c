import { testDriver } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { openProxy } from "@sessions/test-services/proxy";
import { MongoClient } from "mongodb";
import { afterAll, describe, test } from "vitest";
import { fromUrl, mongodbDriver } from "../src/index.ts";

await withService("mongodb", async (mongodb) => {
  const proxy = await openProxy(mongodb.url);
  const outage = { cut: proxy.cut, restore: proxy.restore };
  const client = new MongoClient(proxy.url);
  afterAll(async () => {
    await client.close();
    await proxy.close();
  });

  describe("mongodb: client", () => {
    const open = (namespace: string) => mongodbDriver({ client, collection: namespace, timeout: 1000 });
    testDriver({ test, target: { name: "mongodb", open, outage } });
  });

  // Settings as far from the defaults as possible: the driver passes its own with each call.
  describe("mongodb: collection with settings of its own", () => {
    const settings = {
      readPreference: "secondaryPreferred",
      readConcern: { level: "available" },
      promoteValues: false,
      ignoreUndefined: true,
      retryWrites: false,
    } as const;
    const open = (namespace: string) =>
      mongodbDriver({ collection: client.db("other").collection(namespace, settings), timeout: 1000 });
    testDriver({ test, target: { name: "mongodb", open, outage } });
  });

  describe("mongodb: fromUrl", () => {
    const open = (collection: string) => fromUrl(proxy.url, { collection, timeout: 1000 });
    testDriver({ test, target: { name: "mongodb", open, outage } });
  });
});
