/** Keeps sessions in Amazon DynamoDB. */
export type { DynamoDBClientLike } from "./connection.ts";
export { type DynamodbDriverOptions, dynamodbDriver } from "./driver.ts";
export { type DynamodbUrlOptions, fromUrl } from "./from-url.ts";
