import { checkClient } from "@sessions/core/driver-tools";
import { handedBy, type OrmLike } from "@sessions/sql-clients";
import type { SqliteExecutor } from "../executor.ts";
import { type D1DatabaseLike, type DurableObjectSqlLike, d1, durableObject } from "./cloudflare.ts";
import { type LibsqlClientLike, libsql } from "./libsql.ts";
import { local, type SqliteClientLike } from "./local.ts";
import { ormHandles, ormStatements } from "./orm.ts";

/** Every client that the driver takes, an ORM on one, and an executor that an application writes itself. */
export type AnySqliteClientLike = KnownClientLike | OrmLike;

type KnownClientLike =
  | SqliteClientLike
  | LibsqlClientLike
  | D1DatabaseLike
  | DurableObjectSqlLike
  | SqliteExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
const MUST =
  "a handle of better-sqlite3, node:sqlite or bun:sqlite, a client of @libsql/client, a database of Cloudflare D1, the sql of a Durable Object, an ORM on one of them, or a SqliteExecutor";
const FORMS = ["prepare() exec()", "read() write()"] as const;
const ROWS = ["sqlite", "bun:sqlite", "@libsql/client", "d1", "durable object sql"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(given: AnySqliteClientLike): SqliteExecutor {
  const handed = handedBy(given, "sqlite");
  if ("statements" in handed) return ormStatements(handed.statements);
  if ("connections" in handed) return ormHandles(handed.connections);
  const { client } = handed;
  check(client);
  if ("read" in client) return client;
  if ("executeMultiple" in client) return libsql(client);
  if ("batch" in client) return d1(client);
  if ("databaseSize" in client) return durableObject(client);
  return local(client, false);
}

function check(client: unknown): asserts client is KnownClientLike {
  checkClient(client, MUST, FORMS, ROWS);
}
