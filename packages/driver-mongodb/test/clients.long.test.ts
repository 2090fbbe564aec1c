import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { MongoClient } from "mongodb";
import mongoose from "mongoose";
import { afterAll, describe, test } from "vitest";
import { type AnyMongodbClientLike, mongodbDriver } from "../src/index.ts";

await withService("mongodb", async (mongodb) => {
  const proxy = await startProxy(mongodb.url);
  const client = new MongoClient(proxy.url, { retryWrites: true });
  // With bufferCommands, its own collections keep calls until there is a server.
  await mongoose.connect(proxy.url, { dbName: "of_mongoose", bufferCommands: true });
  afterAll(async () => {
    await client.close();
    await mongoose.disconnect();
    await proxy.close();
  });

  describe.each<[string, AnyMongodbClientLike]>([
    ["a Db", client.db("other")],
    ["mongoose", mongoose],
  ])("mongodb: %s", (name, given) => {
    const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };
    testDriver({
      test,
      target: {
        name,
        open: (collection, about) =>
          mongodbDriver({ client: given, collection, timeout: about?.outage ? 1_000 : 4_000 }),
        outage,
      },
    });
  });
});
