import { checkClient } from "@sessions/core/driver-tools";
import { handedBy, type OrmLike } from "@sessions/sql-clients";
import type { SqliteExecutor } from "../executor.ts";
import { local, type SqliteClientLike } from "./local.ts";
import { ormHandles, ormStatements } from "./orm.ts";

/** Every client that the driver takes, an ORM on one, and an executor that an application writes itself. */
export type AnySqliteClientLike = KnownClientLike | OrmLike;

type KnownClientLike = SqliteClientLike | SqliteExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
const MUST = "a handle of better-sqlite3 or node:sqlite, an ORM on one, or a SqliteExecutor";
const FORMS = ["prepare() exec()", "read() write()"] as const;
const ROWS = ["sqlite"] as const;

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(given: AnySqliteClientLike): SqliteExecutor {
  const handed = handedBy(given, "sqlite");
  if ("statements" in handed) return ormStatements(handed.statements);
  if ("connections" in handed) return ormHandles(handed.connections);
  const { client } = handed;
  check(client);
  if ("read" in client) return client;
  return local(client, false);
}

function check(client: unknown): asserts client is KnownClientLike {
  checkClient(client, MUST, FORMS, ROWS);
}
