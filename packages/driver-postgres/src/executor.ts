/** The time that one statement has. */
export interface PostgresTimeLimit {
  /** Throws if the time is over. Call it after each wait, right before you send: what is late must never be sent. */
  throwIfOver(): void;
  /**
   * Calls `giveUp` when the time is over: it ends the connection, or cancels the statement. It may return an error that
   * says more than that no answer came, and must not throw. A second `giveUp` replaces the first.
   */
  onOver(giveUp: () => Error | undefined): void;
}

/** What a statement returned. */
export interface PostgresResult {
  /** The rows: objects by the columns' names, or lists in the columns' order. */
  readonly rows: readonly unknown[];
  /** How many rows the statement wrote. The driver does not read it after a `SELECT` or a `WITH`. */
  readonly rowCount: number | null;
}

/**
 * Runs the driver's statements on one kind of client. All else (statements, decoding, tries after a deadlock) is the
 * driver's. The guide is `docs/clients.md`.
 *
 * - A statement is one text with placeholders `$1`, `$2`. Every value is a text or `null`, and every column comes back
 *   as a text or `null`: the statement itself casts. Neither may be changed on the way.
 * - A statement that begins with `SELECT` or `WITH` returns rows. Of all others the driver reads `rowCount` alone.
 * - Every statement is a transaction of its own, and is committed when the promise resolves. If the connection is in a
 *   transaction of the application, nothing is sent, and the promise rejects with an `Error` whose `code` is `25001`: the
 *   driver tries again.
 * - A statement is sent at most once, unless the server refused it. Nothing is sent after its time is over.
 * - A server's error rejects with an `Error` that has `code` (the SQLSTATE) and `severity`, `where` (`undefined` if the
 *   server sent none), and perhaps `schema`, `table`, `column`, `dataType` and `constraint`. The driver copies these and
 *   drops the rest. It copies the message only if `where` is there and empty, because a trigger may write the row into it.
 *   Any other rejection means that the server was not reached.
 * - A call may take longer than its limit: the driver rejects in time by itself.
 */
export interface PostgresExecutor {
  /** Runs one statement on any connection to the primary. */
  run(text: string, values: readonly (string | null)[], limit: PostgresTimeLimit): Promise<PostgresResult>;
}
