import { createCall } from "@sessions/core/driver-tools";
import { translate } from "./errors.ts";

// The few members of the package `mongodb` that the driver uses.

/** Options that the driver passes with each call; they override the client's and the collection's own. */
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

// With the client's or the collection's own settings a read could miss acknowledged writes, or return numbers as
// objects. So each call passes the settings that it needs.
const PLAIN: MongodbCallOptions = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  useBigInt64: false,
};
/** Settings of questions about the collection itself. */
export const ASK: MongodbCallOptions = { ...PLAIN, readPreference: "primary" };
/** Settings of every read. */
export const READ: MongodbCallOptions = { ...ASK, readConcern: { level: "local" } };
/** Settings of every write. */
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
  createIndexes(
    indexes: { key: Record<string, 1>; name: string }[],
    options: MongodbCallOptions,
  ): Promise<unknown>;
  listIndexes(options: MongodbCallOptions): MongodbCursorLike;
  options(options: MongodbCallOptions): Promise<object>;
  drop(): Promise<unknown>;
}

/** A collection, and the ways to call the server for it. Each call rejects with a `SessionError`. */
export interface Connection {
  /** The collection's name. */
  readonly name: string;
  /** Work that takes as long as it takes. */
  unlimited<T>(work: (collection: MongodbCollectionLike) => Promise<T>): Promise<T>;
  /** A call that ends with the driver's timeout, in the client as well as in the server. `changes` as in `CallDetails`. */
  within<T>(
    work: (collection: MongodbCollectionLike, limits: MongodbCallOptions) => Promise<T>,
    changes?: boolean,
  ): Promise<T>;
}

/** Returns a collection, or waits until there is one. */
export type FindCollection = () => MongodbCollectionLike | Promise<MongodbCollectionLike>;

/**
 * Makes the calls of one collection.
 *
 * @param timeout Milliseconds.
 */
export function createConnection(name: string, find: FindCollection, timeout: number): Connection {
  const call = createCall({ driver: "mongodb", timeout, translate });
  return {
    name,
    unlimited: (work) => call(async () => work(await find()), Number.POSITIVE_INFINITY),
    within: (work, changes) =>
      call(
        async (signal) => {
          const collection = await find();
          signal.throwIfAborted();
          return work(collection, { signal, maxTimeMS: timeout });
        },
        timeout,
        { changes },
      ),
  };
}
