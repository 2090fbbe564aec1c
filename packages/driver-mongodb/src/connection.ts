/** The little that the driver uses of the package `mongodb`. */

/** What the driver says with its calls, whatever the client or the collection was told. */
export interface MongodbCallOptions {
  readonly signal?: AbortSignal;
  readonly maxTimeMS?: number;
  readonly readPreference?: "primary";
  readonly readConcern?: { readonly level: "local" };
  readonly writeConcern?: { readonly w: "majority" };
  readonly raw?: false;
  readonly promoteValues?: true;
  readonly promoteLongs?: true;
  readonly useBigInt64?: false;
  readonly upsert?: true;
  readonly ordered?: true;
  readonly projection?: { readonly _id: 1 };
  readonly sort?: Record<string, 1>;
  readonly limit?: number;
  readonly batchSize?: number;
}

/** A cursor of `find` or `listIndexes`. */
export interface MongodbCursorLike {
  toArray(): Promise<object[]>;
}

// The client's and the collection's own settings would let a read see less than was acknowledged, or get numbers as
// objects; so each call says what it needs.
const PLAIN: MongodbCallOptions = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  useBigInt64: false,
};
/** What a question about the collection itself says. */
export const ASK: MongodbCallOptions = { ...PLAIN, readPreference: "primary" };
/** What every read says. */
export const READ: MongodbCallOptions = { ...ASK, readConcern: { level: "local" } };
/** What every write says. */
export const WRITE: MongodbCallOptions = { ...PLAIN, writeConcern: { w: "majority" } };

/** The `Collection` of the package `mongodb`. */
export interface MongodbCollectionLike {
  readonly collectionName: string;
  findOne(filter: object, options: MongodbCallOptions): Promise<object | null>;
  find(filter: object, options: MongodbCallOptions): MongodbCursorLike;
  updateOne(
    filter: object,
    update: object,
    options: MongodbCallOptions,
  ): Promise<{ readonly matchedCount: number }>;
  replaceOne(filter: object, replacement: object, options: MongodbCallOptions): Promise<unknown>;
  bulkWrite(
    operations: { updateOne: { filter: object; update: object } }[],
    options: MongodbCallOptions,
  ): Promise<{ readonly matchedCount: number; readonly modifiedCount: number }>;
  deleteOne(filter: object, options: MongodbCallOptions): Promise<{ readonly deletedCount: number }>;
  deleteMany(filter: object, options: MongodbCallOptions): Promise<{ readonly deletedCount: number }>;
  createIndexes(indexes: { key: Record<string, 1>; name: string }[]): Promise<unknown>;
  listIndexes(options: MongodbCallOptions): MongodbCursorLike;
  options(options: MongodbCallOptions): Promise<object>;
  drop(): Promise<unknown>;
}

/** The `MongoClient` of the package `mongodb`. */
export interface MongodbClientLike {
  db(): { collection(name: string): MongodbCollectionLike };
}
