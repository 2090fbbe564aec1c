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
  await mongoose.connect(proxy.url, { dbName: "of_mongoose" });
  const connection = mongoose.createConnection(proxy.url, { bufferCommands: true });
  afterAll(async () => {
    await client.close();
    await mongoose.disconnect();
    await connection.close();
    await proxy.close();
  });

  describe.each<[string, AnyMongodbClientLike]>([
    ["a Db", client.db("other")],
    ["mongoose", mongoose],
    ["useDb() of a connection of mongoose", connection.useDb("another")],
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
