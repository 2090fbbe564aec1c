import { type Handed, hasMethods, refused, refusedTransaction } from "./handed.ts";

/** An entity manager of MikroORM. */
interface MikroOrmEntityManagerLike {
  isInTransaction(): boolean;
  getConnection(): object;
}

/** MikroORM, or an entity manager of it. */
export type MikroOrmLike = { readonly em: MikroOrmEntityManagerLike } | MikroOrmEntityManagerLike;

const isEntityManager = (orm: unknown): orm is MikroOrmEntityManagerLike =>
  hasMethods(Object(orm), "isInTransaction", "getConnection");

export const isMikroOrm = (orm: object): orm is MikroOrmLike =>
  isEntityManager(orm) || ("em" in orm && isEntityManager(orm.em));

/** MikroORM 6 is made on knex, and 7 on Kysely. */
export function mikroOrm(orm: MikroOrmLike): Handed {
  const em = "em" in orm ? orm.em : orm;
  if (em.isInTransaction())
    throw refusedTransaction("an entity manager of MikroORM in a transaction", "MikroORM itself");
  const connection = em.getConnection();
  for (const name of ["getKnex", "getClient"]) {
    const get: unknown = Reflect.get(connection, name);
    if (typeof get === "function") return { client: get.call(connection) };
  }
  throw refused("MikroORM on PostgreSQL, MySQL or SQLite", "MikroORM on another database");
}
