/** Keeps sessions in MongoDB. */
export type {
  MongodbCallOptions,
  MongodbClientLike,
  MongodbCollectionLike,
  MongodbCursorLike,
} from "./client.ts";
export { mongodbDriver } from "./driver.ts";
export { fromUrl, type MongodbUrlOptions } from "./from-url.ts";
export type { MongodbDriverOptions } from "./options.ts";
