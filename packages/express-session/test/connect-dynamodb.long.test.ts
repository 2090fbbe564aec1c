import { DeleteTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { startProxy } from "@sessions/conformance/proxy";
import { service } from "@sessions/test-services";
import connectDynamodb from "connect-dynamodb";
import session from "express-session";
import { afterAll } from "vitest";
import { NO_SIZES, prefixed, testStore } from "./kit.ts";

const dynamodb = service("dynamodb");
if (dynamodb) {
  const proxy = await startProxy(dynamodb.url);
  const client = new DynamoDBClient({
    endpoint: proxy.url.replace(/^dynamodb:/, "http:"),
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  const table = `express_${process.pid}`;
  const Store = connectDynamodb(session);
  const store = new Store({ client, table });
  await store.initialize();
  afterAll(async () => {
    await client.send(new DeleteTableCommand({ TableName: table }));
    client.destroy();
    await proxy.close();
  });
  testStore("connect-dynamodb", 10_000, (namespace) => prefixed(store, namespace), {
    outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
    // An item has 400 KB, and JSON makes four bytes of one where it has to escape much.
    limits: { recordBytes: 90_000 },
    exclude: [{ rule: "R9.8", reason: NO_SIZES }],
  });
}
