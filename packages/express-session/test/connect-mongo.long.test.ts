import { startProxy } from "@sessions/conformance/proxy";
import { service } from "@sessions/test-services";
import MongoStore from "connect-mongo";
import { MongoClient } from "mongodb";
import { afterAll } from "vitest";
import { NO_SIZES, prefixed, testStore } from "./kit.ts";

const mongodb = service("mongodb");
if (mongodb) {
  const proxy = await startProxy(mongodb.url);
  const client = new MongoClient(proxy.url);
  // A store whose first connection fails never gets another.
  await client.connect();
  const collectionName = `express_${process.pid}`;
  const store = MongoStore.create({ client, collectionName });
  afterAll(async () => {
    await client.db().collection(collectionName).drop();
    await client.close();
    await proxy.close();
  });
  testStore("connect-mongo", 2500, (namespace) => prefixed(store, namespace), {
    outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
    exclude: [{ rule: "R9.8", reason: NO_SIZES }],
  });
}
