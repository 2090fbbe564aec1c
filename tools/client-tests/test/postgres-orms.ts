import { MikroORM } from "@mikro-orm/postgresql";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import knex, { type Knex } from "knex";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { afterAll } from "vitest";
import { type PrismaClient, prismaPostgres } from "./prisma.ts";

interface PostgresOrms {
  readonly knex: Knex;
  readonly kysely: Kysely<object>;
  readonly prisma: PrismaClient;
  readonly sequelize: Sequelize;
  readonly drizzle: NodePgDatabase & { $client: pg.Pool };
  readonly typeorm: DataSource;
  readonly mikroOrm: MikroORM;
}

/** Every ORM that the driver for PostgreSQL takes, on one server, until the file's tests are over. */
export async function openPostgresOrms(url: string): Promise<PostgresOrms> {
  const pool = (): pg.Pool => {
    const made = new pg.Pool({ connectionString: url, connectionTimeoutMillis: 1000 });
    made.on("error", () => {});
    return made;
  };
  // Kysely does not listen to a connection that it uses: without a listener, a broken one would end the process.
  const kyselyPool = pool();
  kyselyPool.on("connect", (client) => client.on("error", () => {}));
  const drizzlePool = pool();
  const orms = {
    knex: knex({ client: "pg", connection: url, log: { warn() {} } }),
    kysely: new Kysely<object>({ dialect: new PostgresDialect({ pool: kyselyPool }) }),
    prisma: prismaPostgres({ connectionString: url, connectionTimeoutMillis: 8000 }),
    sequelize: new Sequelize(url, { dialect: "postgres", dialectModule: pg, logging: false }),
    drizzle: drizzle(drizzlePool),
    typeorm: new DataSource({ type: "postgres", url, driver: pg, logging: false, poolErrorHandler() {} }),
    mikroOrm: await MikroORM.init({
      clientUrl: url,
      entities: [],
      discovery: { warnWhenNoEntities: false },
    }),
  };
  await orms.typeorm.initialize();
  afterAll(async () => {
    await Promise.allSettled([
      ...[orms.knex.destroy(), kyselyPool.end(), orms.prisma.$disconnect(), orms.sequelize.close()],
      ...[drizzlePool.end(), orms.typeorm.destroy(), orms.mikroOrm.close()],
    ]);
  });
  return orms;
}
