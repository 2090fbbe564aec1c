import {
  checkDialect,
  type Handed,
  hasMethods,
  refused,
  refusedTransaction,
  type SqlDialect,
} from "./handed.ts";

/** A `DataSource` of TypeORM. */
export interface TypeormLike {
  readonly isInitialized: boolean;
  readonly driver: object;
  createQueryRunner(): unknown;
}

/** The names that TypeORM has for the databases, and where its driver keeps the client. */
const DIALECTS: Record<string, string> = {
  cockroachdb: "postgres",
  mariadb: "mysql",
  "better-sqlite3": "sqlite",
};
const CLIENTS = { postgres: "master", mysql: "pool", sqlite: "databaseConnection" } as const;

export const isTypeorm = (orm: object): orm is TypeormLike =>
  hasMethods(orm, "createQueryRunner") ||
  hasMethods(orm, "getRepository", "transaction") ||
  isQueryRunner(orm);

const isQueryRunner = (orm: object): boolean => hasMethods(orm, "startTransaction", "getTable");

export function typeorm(source: TypeormLike, dialect: SqlDialect): Handed {
  // An entity manager and a query runner may be in a transaction, now or later.
  if (!("isInitialized" in source))
    throw refusedTransaction("an entity manager or a query runner of TypeORM", "a DataSource of TypeORM");
  if (!source.isInitialized)
    throw refused("initialized: await dataSource.initialize() first", "a DataSource of TypeORM that is not");
  const type = String(Reflect.get(Object(Reflect.get(source, "options")), "type"));
  checkDialect("a DataSource of TypeORM", DIALECTS[type] ?? type, dialect);
  const client: unknown = Reflect.get(source.driver, CLIENTS[dialect]);
  if (Object(client) !== client)
    throw refused("a pool of the server for writing", "a DataSource of TypeORM with replication");
  return { client };
}
