import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { afterAll, describe, test } from "vitest";
import { type DynamoDBClientLike, dynamodbDriver } from "../src/index.ts";
import { clientOf, configOf } from "./support.ts";

await withService("dynamodb", async (service) => {
  const proxy = await startProxy(service.url);
  // The client's own repeats are on: it tries three times.
  const client = clientOf(proxy.url);
  const full = new DynamoDB(configOf(proxy.url));
  // These settings are for the client's own commands, and change none of the driver's.
  const marshalling = {
    marshallOptions: {
      convertEmptyValues: true,
      removeUndefinedValues: true,
      convertTopLevelContainer: false,
      allowImpreciseNumbers: true,
    },
    unmarshallOptions: { wrapNumbers: true, convertWithoutMapWrapper: false },
  };
  afterAll(async () => {
    client.destroy();
    full.destroy();
    await proxy.close();
  });

  describe.each<[string, DynamoDBClientLike]>([
    ["DynamoDB", full],
    ["DynamoDBDocumentClient", DynamoDBDocumentClient.from(client, marshalling)],
    ["DynamoDBDocument", DynamoDBDocument.from(full, marshalling)],
  ])("dynamodb: %s", (name, given) => {
    testDriver({
      test,
      target: {
        name,
        open: (table, about) =>
          dynamodbDriver({ client: given, table, timeout: about?.outage ? 2_000 : 4_000 }),
        outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
      },
    });
  });
});
