import {
  checkDialect,
  type Handed,
  hasMethods,
  refused,
  refusedTransaction,
  type SqlDialect,
} from "./handed.ts";

/** An instance of knex. */
export interface KnexLike {
  readonly client: KnexClientLike;
  queryBuilder(): unknown;
  readonly isTransaction?: boolean | undefined;
}

interface KnexClientLike {
  /** The database: `"postgresql"`, `"mysql"`, `"sqlite3"`. */
  readonly dialect: string;
  /** The package of its client: `"pg"`, `"mysql2"`, `"better-sqlite3"`. */
  readonly driverName: string;
  acquireConnection(): Promise<object>;
  releaseConnection(connection: object): unknown;
}

/** The names that knex has for the databases. */
const DIALECTS: Record<string, string> = { postgresql: "postgres", mariadb: "mysql", sqlite3: "sqlite" };
const PACKAGES = {
  postgres: ["pg"],
  mysql: ["mysql2", "mysql", "mariadb"],
  sqlite: ["better-sqlite3"],
};

export const isKnex = (orm: object): orm is KnexLike =>
  hasMethods(orm, "queryBuilder", "raw") && "client" in orm;

/** Of knex the driver takes connections, not the pool: that is a pool of another make, which lends the same ones. */
export function knex({ client, isTransaction }: KnexLike, dialect: SqlDialect): Handed {
  if (isTransaction === true)
    throw refusedTransaction("a transaction of knex", "the instance of knex that began it");
  if (!hasMethods(client, "acquireConnection", "releaseConnection"))
    throw refused("an instance of knex with a connection", "an instance of knex without one");
  checkDialect("an instance of knex", DIALECTS[client.dialect] ?? client.dialect, dialect);
  if (!PACKAGES[dialect].includes(client.driverName))
    throw refused(
      `an instance of knex on ${PACKAGES[dialect].join(", ")}`,
      `an instance of knex on ${client.driverName}`,
    );
  return {
    connections: {
      acquire: () => client.acquireConnection(),
      release(connection, isBroken) {
        // knex looks at this name before it lends a connection again, and then replaces it.
        if (isBroken) Reflect.set(connection, "__knex__disposed", "sessions: no answer came in time");
        client.releaseConnection(connection);
      },
    },
  };
}
