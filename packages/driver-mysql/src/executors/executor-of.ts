import { checkClient } from "@sessions/core/driver-tools";
import { handedBy, type OrmLike } from "@sessions/sql-clients";
import type { MysqlExecutor } from "../executor.ts";
import { type BunSqlLike, bunSql } from "./bun.ts";
import { type LendOne, lendOnly } from "./lending.ts";
import { type AnyMariadbLike, mariadb } from "./mariadb.ts";
import { type AnyMysqljsLike, mysql } from "./mysql.ts";
import { type MysqlClientLike, mysql2 } from "./mysql2.ts";
import { ormConnections, ormStatements } from "./orm.ts";

/** Every client that the driver takes, an ORM on one, and an executor that an application writes itself. */
export type AnyMysqlClientLike = KnownClientLike | OrmLike;

type KnownClientLike = MysqlClientLike | AnyMariadbLike | AnyMysqljsLike | BunSqlLike | MysqlExecutor;

/** For `checkClient`: what a client must be, what the driver uses of it, and the rows of the table that fit. */
const MUST =
  'a pool or a connection of mysql2, mariadb or mysql, the primaries of a cluster of them (cluster.of("PRIMARY*")), Bun\'s SQL, an ORM on one of them, or a MysqlExecutor';
const FORMS = ["lease()", "promise()", "getConnection()", "query()"] as const;
const ROWS = ["mysql2", "mariadb", "mysql", "bun sql"] as const;

const isMariadb = (client: object): client is AnyMariadbLike => "batch" in client;
const isMysqljs = (client: object): client is AnyMysqljsLike =>
  ("escapeId" in client || "_getClusterNode" in client) && !("execute" in client);

/** The executor for a client. Only names decide, so a wrapped or traced client fits, too. */
export function executorOf(given: AnyMysqlClientLike): MysqlExecutor {
  const handed = handedBy(given, "mysql");
  if ("statements" in handed) return ormStatements(handed.statements);
  if ("connections" in handed) return ormConnections(handed.connections, known);
  return known(handed.client, lendOnly);
}

function known(client: unknown, lendOne: LendOne): MysqlExecutor {
  check(client);
  if ("lease" in client) return client;
  if ("beginDistributed" in client) return bunSql(client);
  if (isMariadb(client)) return mariadb(client, lendOne);
  if (isMysqljs(client)) return mysql(client, lendOne);
  return mysql2(client, lendOne);
}

function check(client: unknown): asserts client is KnownClientLike {
  checkClient(client, MUST, FORMS, ROWS);
}
