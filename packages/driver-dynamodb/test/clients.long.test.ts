import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { runConformance, type Target, testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { afterAll, describe, expect, test } from "vitest";
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

  const targetOf = (name: string, given: DynamoDBClientLike): Target => ({
    name,
    open: (table, about) => dynamodbDriver({ client: given, table, timeout: about?.outage ? 2_000 : 10_000 }),
    outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
  });

  describe("dynamodb: DynamoDBDocumentClient", () => {
    testDriver({
      test,
      target: targetOf("DynamoDBDocumentClient", DynamoDBDocumentClient.from(client, marshalling)),
    });
  });

  // These two only add methods to the others.
  test.each<[string, DynamoDBClientLike]>([
    ["DynamoDB", full],
    ["DynamoDBDocument", DynamoDBDocument.from(full, marshalling)],
  ])("%s keeps the rules about outages and lost answers", { timeout: 120_000 }, async (name, given) => {
    const { results } = await runConformance(targetOf(name, given), { rules: ["R11"] });
    expect(results.filter(({ status }) => status === "failed")).toEqual([]);
    expect(results.filter(({ status }) => status === "passed").map(({ rule }) => rule)).toContain("R11.13");
  });
});
