import { checkClient } from "@sessions/core/driver-tools";
import { handedBy, type OrmLike, refusedTransaction } from "@sessions/sql-clients";
import type { PostgresExecutor } from "../executor.ts";
import { type BunSqlLike, bunSql } from "./bun.ts";
import { type NeonHttpLike, neonHttp } from "./neon.ts";
import { ormPool, ormStatements } from "./orm.ts";
import { type PgClientLike, type PgPoolLike, pgClient, pgPool } from "./pg.ts";
import { type PgliteLike, pglite } from "./pglite.ts";
import { type PostgresJsLike, postgresJs } from "./postgres-js.ts";

/** Every client that the driver takes, an ORM on one, and an executor that an application writes itself. */
export type AnyPostgresClientLike = KnownClientLike | OrmLike;

type KnownClientLike =
  | PgPoolLike
  | PgClientLike
  | PostgresJsLike
  | NeonHttpLike
  | PgliteLike
  | BunSqlLike
  | PostgresExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
const MUST =
  "a Pool or a Client of pg, a client of postgres (postgres.js), @neondatabase/serverless or PGlite, Bun's SQL, an ORM on one of them, or a PostgresExecutor";
const FORMS = ["run()", "query()", "connect() totalCount"] as const;
const ROWS = ["pg", "postgres", "@neondatabase/serverless", "pglite", "bun sql"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(given: AnyPostgresClientLike): PostgresExecutor {
  const handed = handedBy(given, "postgres");
  if ("statements" in handed) return ormStatements(handed.statements);
  if ("connections" in handed) return pgPool(ormPool(handed.connections));
  const { client } = handed;
  check(client);
  if ("totalCount" in client) return pgPool(client);
  if ("query" in client && "release" in client)
    throw refusedTransaction("a connection that a Pool of pg has lent", "the Pool");
  if ("beginDistributed" in client) return bunSql(client);
  if ("begin" in client) return postgresJs(client);
  if ("transaction" in client && "unsafe" in client) return neonHttp(client);
  if ("execProtocol" in client) return pglite(client);
  if ("run" in client) return client;
  return pgClient(client);
}

function check(client: unknown): asserts client is KnownClientLike {
  checkClient(client, MUST, FORMS, ROWS);
}
