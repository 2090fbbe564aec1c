/** Keeps sessions in MongoDB. */
export type {
  MongodbCallOptions,
  MongodbCollectionLike,
  MongodbCursorLike,
} from "./connection.ts";
export type {
  AnyMongodbClientLike,
  MongodbClientLike,
  MongodbDbLike,
  MongooseConnectionLike,
  MongooseLike,
} from "./database.ts";
export { type MongodbDriverOptions, mongodbDriver } from "./driver.ts";
export { fromUrl, type MongodbUrlOptions } from "./from-url.ts";
