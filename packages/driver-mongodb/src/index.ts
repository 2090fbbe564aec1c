/** Keeps sessions in MongoDB. */
export type {
  MongodbCallOptions,
  MongodbClientLike,
  MongodbCollectionLike,
  MongodbCursorLike,
} from "./connection.ts";
export { type MongodbDriverOptions, mongodbDriver } from "./driver.ts";
export { fromUrl, type MongodbUrlOptions } from "./from-url.ts";
