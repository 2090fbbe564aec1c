/** The little that the driver uses of the package `mysql2`, in both of its flavours. */

/** A statement, and how its answer is to be read whatever the client's own settings say. */
export interface MysqlStatement {
  readonly sql: string;
  readonly values: string[];
  readonly nestTables: boolean;
  readonly namedPlaceholders: boolean;
  readonly typeCast: (field: { buffer(): Buffer | null }) => Buffer | null;
}

/** One connection, of `mysql2/promise`. */
export interface MysqlConnectionLike {
  query(statement: MysqlStatement): Promise<readonly unknown[]>;
}

/** One connection of a pool, of `mysql2/promise`. */
export interface MysqlPoolConnectionLike extends MysqlConnectionLike {
  release(): void;
  destroy(): void;
}

/** A pool of connections, of `mysql2/promise`. */
export interface MysqlPoolLike {
  getConnection(): Promise<MysqlPoolConnectionLike>;
}

/** A pool or a connection of the flavour with callbacks, `mysql2`. */
export interface MysqlCallbackClientLike {
  promise(): MysqlPoolLike | MysqlConnectionLike;
}

/** Any client of the package `mysql2`: what `createPool` or `createConnection` answers, with promises or with callbacks. */
export type MysqlClientLike = MysqlPoolLike | MysqlConnectionLike | MysqlCallbackClientLike;
