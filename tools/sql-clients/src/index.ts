/** What the drivers for SQL take from an ORM. */
import { type DrizzleLike, drizzle, isDrizzle } from "./drizzle.ts";
import { type Handed, hasMethods, type SqlDialect } from "./handed.ts";
import { isKnex, type KnexLike, knex } from "./knex.ts";
import { isKysely, type KyselyLike, kysely } from "./kysely.ts";
import { isMikroOrm, type MikroOrmLike, mikroOrm } from "./mikro-orm.ts";
import { isPrisma, type PrismaLike, prisma } from "./prisma.ts";
import { isSequelize, type SequelizeLike, sequelize } from "./sequelize.ts";
import { isTypeorm, type TypeormLike, typeorm } from "./typeorm.ts";

export { type NativeConnections, type RawStatements, refusedTransaction } from "./handed.ts";

/** Any ORM that the drivers for SQL take. */
export type OrmLike =
  | DrizzleLike
  | KnexLike
  | KyselyLike
  | MikroOrmLike
  | PrismaLike
  | SequelizeLike
  | TypeormLike;

/**
 * What an ORM hands out for the driver of a database, or the given client itself, if that is no ORM. It sends nothing.
 *
 * @throws SessionConfigError for a transaction of an ORM, an ORM on another database, and one that is not connected.
 */
export function handedBy(client: unknown, dialect: SqlDialect): Handed {
  const orm: object = Object(client);
  if (orm !== client || isAnything(orm)) return { client };
  if (isDrizzle(orm)) return drizzle(orm);
  if (isKysely(orm)) return kysely(orm, dialect);
  if (isKnex(orm)) return knex(orm, dialect);
  if (isPrisma(orm)) return prisma(orm, dialect);
  if (isSequelize(orm)) return sequelize(orm, dialect);
  if (isTypeorm(orm)) return typeorm(orm, dialect);
  if (!isMikroOrm(orm)) return { client };
  const handed = mikroOrm(orm);
  return "client" in handed ? handedBy(handed.client, dialect) : handed;
}

/** Whether the object has every name that it is asked for, as a proxy to another process does. */
const isAnything = (orm: object): boolean => hasMethods(orm, "noClientHasThisMethod");
