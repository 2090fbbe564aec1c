/** The little that the driver uses of the package `pg`. */

/** A statement with its parameters, as `pg` takes it. */
export interface PgQuery {
  readonly text: string;
  readonly values: unknown[];
  readonly name?: string;
}

/** What `pg` answers. */
export interface PgResult {
  readonly rows: unknown[];
  readonly rowCount: number | null;
}

/** A connected `Client`. */
export interface PgClientLike {
  query(query: PgQuery): Promise<PgResult>;
}

/** A connection that a `Pool` lends. */
export interface PgPoolClientLike extends PgClientLike {
  /** `true` ends the connection, where its state is not known. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
}

/** A `Pool`. */
export interface PgPoolLike {
  readonly totalCount: number;
  connect(): Promise<PgPoolClientLike>;
}
