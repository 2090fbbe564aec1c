import type { PostgresExecutor } from "../executor.ts";
import { type BunSqlLike, bunSql } from "./bun.ts";
import { type NeonHttpLike, neonHttp } from "./neon.ts";
import { type PgClientLike, type PgPoolLike, pgClient, pgPool } from "./pg.ts";
import { type PgliteLike, pglite } from "./pglite.ts";
import { type PostgresJsLike, postgresJs } from "./postgres-js.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnyPostgresClientLike =
  | PgPoolLike
  | PgClientLike
  | PostgresJsLike
  | NeonHttpLike
  | PgliteLike
  | BunSqlLike
  | PostgresExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST =
  "a Pool or a Client of pg, a client of postgres (postgres.js), @neondatabase/serverless or PGlite, Bun's SQL, or a PostgresExecutor";
export const FORMS = ["run()", "query()", "connect() totalCount"] as const;
export const ROWS = ["pg", "postgres", "@neondatabase/serverless", "pglite", "bun sql"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(client: AnyPostgresClientLike): PostgresExecutor {
  if ("totalCount" in client) return pgPool(client);
  if ("beginDistributed" in client) return bunSql(client);
  if ("begin" in client) return postgresJs(client);
  if ("transaction" in client && "unsafe" in client) return neonHttp(client);
  if ("execProtocol" in client) return pglite(client);
  if ("run" in client) return client;
  return pgClient(client);
}
