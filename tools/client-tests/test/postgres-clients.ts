import { PGlite } from "@electric-sql/pglite";
import { MikroORM } from "@mikro-orm/postgresql";
import { type NeonQueryFunction, neon, neonConfig } from "@neondatabase/serverless";
import { startNeonFront } from "@sessions/test-services/neon-front";
import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";
import knex, { type Knex } from "knex";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import postgres from "postgres";
import { Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { afterAll } from "vitest";
import { type PrismaClient, prismaPostgres } from "./prisma.ts";

interface PostgresClients {
  pool(max?: number): pg.Pool;
  client(): Promise<pg.Client>;
  /** A client as in the versions of pg that do not tell whether a transaction is open. */
  olderClient(): Promise<pg.Client>;
  postgresJs(options?: { max: number }): postgres.Sql;
  readonly neon: NeonQueryFunction<false, false>;
  readonly pglite: PGlite;
  readonly knex: Knex;
  readonly kysely: Kysely<object>;
  readonly drizzle: NodePgDatabase & { $client: pg.Pool };
  readonly prisma: PrismaClient;
  readonly sequelize: Sequelize;
  readonly typeorm: DataSource;
  readonly mikroOrm: MikroORM;
}

/** Every client that the driver for PostgreSQL takes, on one server, until the file's tests are over. */
export async function openPostgresClients(url: string): Promise<PostgresClients> {
  const closing: (() => unknown)[] = [];
  const closes = <T>(client: T, close: (client: T) => unknown): T => {
    closing.unshift(() => close(client));
    return client;
  };
  afterAll(async () => {
    for (const close of closing) await close();
  });

  const pool = (max = 5): pg.Pool => {
    const made = closes(new pg.Pool({ connectionString: url, max }), (it) => it.end());
    made.on("error", () => {});
    return made;
  };
  const client = async (): Promise<pg.Client> => {
    const made = closes(new pg.Client(url), (it) => it.end());
    await made.connect();
    return made;
  };

  const behind = pool();
  const front = closes(
    await startNeonFront(async (text, values) => {
      const types = { getTypeParser: () => (value: unknown) => value };
      const found = await behind.query<(string | null)[]>({ text, values, rowMode: "array", types });
      return { ...found, fields: found.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })) };
    }),
    (it) => it.close(),
  );
  neonConfig.fetchEndpoint = () => front.url;
  const source = new DataSource({ type: "postgres", url, driver: pg, logging: false });
  await source.initialize();

  return {
    pool,
    client,
    olderClient: async () => Object.assign(await client(), { getTransactionStatus: undefined }),
    postgresJs: (options) => closes(postgres(url, options), (it) => it.end({ timeout: 0 })),
    neon: neon("postgres://user:hunter2@one.neon.tech/app"),
    pglite: closes(await PGlite.create(), (it) => it.close()),
    knex: closes(knex({ client: "pg", connection: url, log: { warn() {} } }), (it) => it.destroy()),
    // Its pool is closed with the others.
    kysely: new Kysely<object>({ dialect: new PostgresDialect({ pool: pool() }) }),
    drizzle: drizzle(pool()),
    prisma: closes(prismaPostgres({ connectionString: url }), (it) => it.$disconnect()),
    sequelize: closes(new Sequelize(url, { dialect: "postgres", dialectModule: pg, logging: false }), (it) =>
      it.close(),
    ),
    typeorm: closes(source, (it) => it.destroy()),
    mikroOrm: closes(
      await MikroORM.init({ clientUrl: url, entities: [], discovery: { warnWhenNoEntities: false } }),
      (it) => it.close(),
    ),
  };
}
