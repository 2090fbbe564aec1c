import { DriverUnavailableError } from "@sessions/core";
import type { FindCollection, MongodbCollectionLike } from "./connection.ts";

// The few members that lead the driver from a client to its collection.

/** The `Db` of the package `mongodb`. */
export interface MongodbDbLike {
  collection(name: string): MongodbCollectionLike;
}

/** The `MongoClient` of the package `mongodb`. */
export interface MongodbClientLike {
  db(name?: string): MongodbDbLike;
}

/** A connection of mongoose: `mongoose.connection`, or what `mongoose.createConnection()` or `useDb()` returns. */
export interface MongooseConnectionLike {
  /** The database's name, once the connection is open. */
  readonly name: string;
  /** Resolves once the connection is open. */
  asPromise(): Promise<unknown>;
  /** Returns nothing before the application has begun to connect. */
  getClient(): MongodbClientLike | null | undefined;
}

/** The package mongoose itself. */
export interface MongooseLike {
  readonly connection: MongooseConnectionLike;
}

/** Everything that the driver takes as its client. */
export type AnyMongodbClientLike = MongodbClientLike | MongodbDbLike | MongooseConnectionLike | MongooseLike;

/** Finds a collection in a client's default database, in a `Db`, or in the database of a connection of mongoose. */
export function collectionOf(client: AnyMongodbClientLike, name: string): FindCollection {
  if ("connection" in client) return collectionOf(client.connection, name);
  if ("asPromise" in client)
    return async () => {
      // The connection does not know its database before it is open.
      await client.asPromise();
      // Not the connection's own collections: those keep calls until there is a server, and send them late.
      const opened = client.getClient();
      if (!opened)
        throw new DriverUnavailableError(
          "mongodb: mongoose is not connected. Call connect() of mongoose, or openUri() of its connection.",
        );
      return opened.db(client.name).collection(name);
    };
  const collection = ("collection" in client ? client : client.db()).collection(name);
  return () => collection;
}
