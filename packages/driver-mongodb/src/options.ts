import type { Duration } from "@sessions/core";
import { checkClient, checkOption, checkOptions, milliseconds } from "@sessions/core/driver-tools";
import type { MongodbClientLike, MongodbCollectionLike } from "./client.ts";

/** Options of `mongodbDriver`: a client and a collection's name, or a collection. */
export interface MongodbDriverOptions {
  /**
   * A `MongoClient`, closed by you; sessions are kept in its default database, the one that its URL names. Leave it out
   * where `collection` is a Collection.
   */
  readonly client?: MongodbClientLike | undefined;
  /**
   * The name of the collection, 1 to 100 of `A-Z a-z 0-9 _ - .`, or a Collection itself, from any database. Nothing else
   * may be kept in it.
   * @default "sessions"
   */
  readonly collection?: string | MongodbCollectionLike | undefined;
  /** How long a call may take before it is `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
}

const isCollection = (value: unknown): value is MongodbCollectionLike =>
  typeof Object(value).bulkWrite === "function";

/** @throws SessionConfigError naming an option that is unknown, out of range, or contradicts another. */
export function readOptions(options: MongodbDriverOptions): {
  collection: MongodbCollectionLike;
  timeout: number;
} {
  checkOptions("mongodbDriver", options, ["client", "collection", "timeout"]);
  const { client, collection = "sessions", timeout = "2s" } = options;
  const ms = milliseconds("timeout", timeout);
  if (isCollection(collection)) {
    checkOption(client === undefined, "client", "left out where collection is a Collection", typeof client);
    return { collection, timeout: ms };
  }
  checkName(collection);
  checkClient(
    client,
    "a MongoClient of the package mongodb, unless collection is a Collection",
    ["db()"],
    ["mongodb"],
  );
  // Narrowed by hand: checkOption is no assertion.
  if (client === undefined) throw new TypeError("client");
  return { collection: client.db().collection(collection), timeout: ms };
}

/** @throws SessionConfigError for what is no name of a collection; MongoDB's own collections begin with `system.` */
export function checkName(collection: unknown): void {
  checkOption(
    typeof collection === "string" &&
      /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}$/.test(collection) &&
      !/^system\.|\.\.|\.$/.test(collection),
    "collection",
    "a name of 1 to 100 of A-Z a-z 0-9 _ - . or a Collection",
    collection,
  );
}
