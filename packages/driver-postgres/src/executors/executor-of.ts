import type { PostgresExecutor } from "../executor.ts";
import { type PgClientLike, type PgPoolLike, pgClient, pgPool } from "./pg.ts";

/** Every client that the driver takes, and an executor that an application writes itself. */
export type AnyPostgresClientLike = PgPoolLike | PgClientLike | PostgresExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
export const MUST = "a Pool or a Client of pg, or a PostgresExecutor";
export const FORMS = ["run()", "query()", "connect() totalCount"] as const;
export const ROWS = ["pg"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(client: AnyPostgresClientLike): PostgresExecutor {
  if ("totalCount" in client) return pgPool(client);
  if ("run" in client) return client;
  return pgClient(client);
}
