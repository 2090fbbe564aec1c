export type { DynamoDBClientLike } from "./client.ts";
export { type DynamodbDriverOptions, dynamodbDriver } from "./driver.ts";
export { type DynamodbUrlOptions, fromUrl } from "./from-url.ts";
