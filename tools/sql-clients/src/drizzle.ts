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
    throw refusedTransaction("a transaction of Drizzle", "the database of Drizzle that began it");
  if (Object(db.$client) !== db.$client)
    throw refused("the client under Drizzle", "a database of Drizzle without a $client");
  return { client: db.$client };
}
