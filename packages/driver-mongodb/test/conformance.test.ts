import { testDriver } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { openProxy } from "@sessions/test-services/proxy";
import { MongoClient } from "mongodb";
import { afterAll, describe, test } from "vitest";
import { mongodbDriver } from "../src/index.ts";

await withService("mongodb", async (mongodb) => {
  const proxy = await openProxy(mongodb.url);
  const outage = { cut: proxy.cut, restore: proxy.restore };
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
