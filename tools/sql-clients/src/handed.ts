import { SessionConfigError } from "@sessions/core";

/** The databases that an ORM may be on. */
export type SqlDialect = "postgres" | "mysql" | "sqlite";

/** Connections of the database's own client, which the ORM lends one at a time. */
export interface NativeConnections {
  acquire(): Promise<object>;
  /** Gives a connection back. A broken one is not lent again. It must not throw. */
  release(connection: object, isBroken: boolean): void;
}

/** What one statement returned. */
export interface RawResult {
  readonly rows: readonly object[];
  readonly affected?: number | bigint | undefined;
  readonly insertId?: number | bigint | undefined;
}

/** A connection on which the ORM runs statements as they are. */
interface RawConnection {
  /** The same object, each time the same connection is lent. */
  readonly connection?: object | undefined;
  run(sql: string, values: readonly unknown[]): Promise<RawResult>;
}

/** Statements as they are, with values for placeholders, on a connection that the ORM keeps to itself. */
export interface RawStatements {
  /** Lends a connection for some work. */
  use<T>(work: (connection: RawConnection) => Promise<T>): Promise<T>;
}

/** What an ORM hands out: its own client, or native connections, or no more than raw statements. */
export type Handed =
  | { readonly client: unknown }
  | { readonly connections: NativeConnections }
  | { readonly statements: RawStatements };

/** Refuses what was given, in the words of `checkClient`. */
export const refused = (must: string, got: string): SessionConfigError =>
  new SessionConfigError(`client must be ${must}; got ${got}`);

/**
 * A transaction would acknowledge what the application rolls back later.
 *
 * @param what The transaction: "a transaction of knex".
 * @param instead What to give instead: "the instance of knex that began it".
 */
export const refusedTransaction = (what: string, instead: string): SessionConfigError =>
  refused(`${instead}, because what a transaction rolls back would be lost after it was acknowledged`, what);

/** Checks the database that the ORM is on. An ORM that does not tell fails at its first statement, if it is wrong. */
export function checkDialect(orm: string, found: string | undefined, dialect: SqlDialect): void {
  if (found !== undefined && found !== dialect) throw refused(`on ${NAMES[dialect]}`, `${orm} on ${found}`);
}

const NAMES: Record<SqlDialect, string> = { postgres: "PostgreSQL", mysql: "MySQL", sqlite: "SQLite" };

/** Whether the object has methods of these names. Only names decide, so a wrapped or traced ORM fits, too. */
export const hasMethods = (orm: object, ...names: string[]): boolean =>
  names.every((name) => typeof Reflect.get(orm, name) === "function");
