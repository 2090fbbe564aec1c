import type { DynamoDB, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocument, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { expect, expectTypeOf, test } from "vitest";
import {
  type DynamoDBClientLike,
  type DynamodbDriverOptions,
  dynamodbDriver,
  fromUrl,
} from "../src/index.ts";

test("the clients of both packages fit", () => {
  expectTypeOf<DynamoDBClient>().toExtend<DynamoDBClientLike>();
  expectTypeOf<DynamoDB>().toExtend<DynamoDBClientLike>();
  expectTypeOf<DynamoDBDocumentClient>().toExtend<DynamoDBClientLike>();
  expectTypeOf<DynamoDBDocument>().toExtend<DynamoDBClientLike>();
  expectTypeOf<DynamodbDriverOptions["client"]>().toEqualTypeOf<DynamoDBClientLike>();
});

test("the driver lists and provisions, and that of fromUrl closes", () => {
  expectTypeOf(dynamodbDriver).returns.toEqualTypeOf<ListingDriver & ProvisionedDriver>();
  expectTypeOf(fromUrl).returns.resolves.toExtend<ListingDriver & ProvisionedDriver & ClosableDriver>();
  expectTypeOf(dynamodbDriver).returns.not.toExtend<ClosableDriver>();
});

test("wrong programs do not compile", () => {
  const client: DynamoDBClientLike = { send: () => Promise.reject(new Error()), config: {} };
  // @ts-expect-error a client is needed
  const none: DynamodbDriverOptions = {};
  // @ts-expect-error a duration has a unit
  const timeless: DynamodbDriverOptions = { client, timeout: "2" };
  // @ts-expect-error no such option
  const ttl: DynamodbDriverOptions = { client, ttl: 5 };
  expect([none, timeless, ttl]).toHaveLength(3);
});
