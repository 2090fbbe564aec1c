import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { type DynamodbDriverOptions, dynamodbDriver } from "@sessions/driver-dynamodb";
import { type Bare, FILLER, rows } from "../backend.ts";
import type { Client } from "./client.ts";

const TABLE = "bench_client";
const idOf = (row: number): string => `row ${row}`;
const SET = { UpdateExpression: "SET #a = :a" };

const ofDynamodb = (
  name: string,
  packages: string[],
  make: (client: DynamoDBClient) => { client: DynamodbDriverOptions["client"]; bare: Bare },
): Client => ({
  ...{ driver: "dynamodb", name, packages, service: "dynamodb" },
  async open(url) {
    const { host } = new URL(url.replace(/^[a-z]+:/, "ws:"));
    const base = new DynamoDBClient({
      endpoint: `http://${host}`,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    });
    const { client, bare } = make(base);
    await dynamodbDriver({ client, table: TABLE }).setup();
    await Promise.all(rows.map((row) => bare.commit(row, FILLER)));
    return {
      driver: (namespace, timeout) => dynamodbDriver({ client, table: namespace, timeout }),
      bare,
      close: async () => base.destroy(),
    };
  },
});

export const dynamodbClients: readonly Client[] = [
  ofDynamodb("DynamoDBClient", ["@aws-sdk/client-dynamodb"], (client) => {
    const keyOf = (row: number) => ({ TableName: TABLE, Key: { id: { S: idOf(row) } } });
    return {
      client,
      bare: {
        load: (row) => client.send(new GetItemCommand({ ...keyOf(row), ConsistentRead: true })),
        commit: (row, text) =>
          client.send(
            new UpdateItemCommand({
              ...{ ...keyOf(row), ...SET, ExpressionAttributeNames: { "#a": "a/x" } },
              ExpressionAttributeValues: { ":a": { S: text } },
            }),
          ),
      },
    };
  }),
  ofDynamodb("DynamoDBDocumentClient", ["@aws-sdk/lib-dynamodb"], (base) => {
    const client = DynamoDBDocumentClient.from(base);
    const keyOf = (row: number) => ({ TableName: TABLE, Key: { id: idOf(row) } });
    return {
      client,
      bare: {
        load: (row) => client.send(new GetCommand({ ...keyOf(row), ConsistentRead: true })),
        commit: (row, text) =>
          client.send(
            new UpdateCommand({
              ...{ ...keyOf(row), ...SET, ExpressionAttributeNames: { "#a": "a/x" } },
              ExpressionAttributeValues: { ":a": text },
            }),
          ),
      },
    };
  }),
];
