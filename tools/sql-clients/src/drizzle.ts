import { type Handed, hasMethods, refused, refusedTransaction } from "./handed.ts";

/** A database of Drizzle. */
export interface DrizzleLike {
  /** The client that the database was made with. Missing in a transaction. */
  readonly $client: unknown;
  readonly _: object;
}

export const isDrizzle = (orm: object): orm is DrizzleLike =>
  hasMethods(orm, "select", "selectDistinct") && "_" in orm;

export function drizzle(db: DrizzleLike): Handed {
  if (hasMethods(db, "rollback"))
    throw refusedTransaction("a transaction of Drizzle", "the database that began it");
  if (Object(db.$client) !== db.$client)
    throw refused("a database of Drizzle with a $client, and this one has none: give the driver the client under it");
  return { client: db.$client };
}
