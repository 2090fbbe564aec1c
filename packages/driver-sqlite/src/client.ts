/** The little that the driver uses of a handle, be it of `better-sqlite3` or of `node:sqlite`. */

/** What is bound to a statement. */
export type SqliteValue = string | number | null;

/** What `prepare` answers. */
export interface SqliteStatementLike {
  /** Executes it to its end, and answers how many rows were changed. */
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  /** Executes it to its end, and answers its rows: objects, or arrays of columns. */
  all(...values: SqliteValue[]): unknown[];
  /** Answers its first row. */
  get(...values: SqliteValue[]): unknown;
}

/** An open database: `Database` of the package `better-sqlite3`, or `DatabaseSync` of `node:sqlite`. */
export interface SqliteClientLike {
  /** Compiles one statement, with anonymous parameters. */
  prepare(sql: string): SqliteStatementLike;
  /** Executes what answers no rows. */
  exec(sql: string): unknown;
  /** `better-sqlite3`: whether a transaction is open. */
  readonly inTransaction?: boolean;
  /** `node:sqlite`, from Node 22.16 on: whether a transaction is open. */
  readonly isTransaction?: boolean;
}
