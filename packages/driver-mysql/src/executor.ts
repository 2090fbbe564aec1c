/** What the server returned for one statement. */
export interface MysqlResult {
  /**
   * The rows, each the list of its values in the order of the columns, or an object whose values are in that order.
   * Empty for a statement without rows. A value is what the server sent, as bytes or as text, or a number; or `null`.
   */
  readonly rows: readonly object[];
  /** How many rows the statement changed, as the server counts them. */
  readonly affectedRows?: number | bigint | string | undefined;
  /** The value that the statement gave to `LAST_INSERT_ID(expr)`, or 0. */
  readonly insertId?: number | bigint | string | undefined;
  /**
   * Whether a transaction is open after the statement: the flag `SERVER_STATUS_IN_TRANS` of the server's answer. Leave it
   * out if the client does not show it; then a lease must have `connection`.
   */
  readonly inTransaction?: boolean | undefined;
}

/** One connection, lent for one piece of work. Nothing else uses it until the work has ended. */
export interface MysqlLease {
  /**
   * The client's own object for the connection: the same one, each time the same connection is lent. Only a client whose
   * results do not tell `inTransaction` needs it: the driver then asks for an open transaction before each piece of work,
   * one round trip more, and each new connection for `@@autocommit`, once. With a new object for each lease it asks for
   * both each time.
   */
  readonly connection?: object | undefined;
  /** Sends one statement, and resolves with what the server returned. */
  send(sql: string): Promise<MysqlResult>;
  /**
   * Ends the connection, so that its server rolls back an open transaction, and a late answer reaches nothing else. It
   * must not throw. For a connection that the application has opened, it does nothing.
   */
  discard(): void;
}

/**
 * Runs the driver's statements on one kind of client. All else (statements, transactions, decoding) is the driver's. The
 * guide is `docs/clients.md`.
 *
 * - A statement is plain text in ASCII, without placeholders. The client must not format it, or split it.
 * - A statement is sent once. The client must not send it again after a lost answer.
 * - A text that the client has decoded must be one in UTF-8: columns come as bytes, or in the connection's character set.
 * - An error of the server is an `Error` with the server's number as `errno`. The driver shows neither its message nor the
 *   statement, except where a message names nothing but a column. Any other error means that the server was not reached.
 * - A call may take longer than its limit: the driver rejects in time by itself, and calls `discard()`.
 */
export interface MysqlExecutor {
  /**
   * Waits for a connection that nothing else uses, does the work on it, and gives it back, also if the work rejects.
   * Rejects without having begun the work if there is no connection. The connection has no open transaction.
   */
  lease<T>(work: (lease: MysqlLease) => Promise<T>): Promise<T>;
}
