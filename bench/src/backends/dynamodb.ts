import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { dynamodbDriver } from "@sessions/driver-dynamodb";
import { type Backend, FILLER, rows } from "../backend.ts";

export const dynamodb: Backend = {
  name: "dynamodb",
  service: "dynamodb",
  async open(url) {
    const { host } = new URL(url.replace(/^[a-z]+:/, "ws:"));
    const client = new DynamoDBClient({
      endpoint: `http://${host}`,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    const driver = dynamodbDriver({ client, table: "bench" });
    await driver.setup();
    const keyOf = (row: number) => ({ TableName: "bench", Key: { id: { S: `row ${row}` } } });
    const set = (row: number, name: string, text: string) =>
      client.send(
        new UpdateItemCommand({
          ...keyOf(row),
          UpdateExpression: "SET #a = :a",
          ExpressionAttributeNames: { "#a": name },
          ExpressionAttributeValues: { ":a": { S: text } },
        }),
      );
    await Promise.all(rows.map((row) => set(row, "filler/x", FILLER)));
    return {
      driver,
      bare: {
        load: (row) => client.send(new GetItemCommand({ ...keyOf(row), ConsistentRead: true })),
        commit: (row, text) => set(row, "a/x", text),
      },
      async close() {
        await driver.teardown();
        client.destroy();
      },
    };
  },
};
