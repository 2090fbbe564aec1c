/** The time that one call has. */
export interface RedisTimeLimit {
  /** Returns the milliseconds that the call has left: 0 or less once its time is over. */
  left(): number;
  /**
   * Returns a signal that aborts when the call has failed for lack of time. A command that has not been sent by then must
   * never be sent. Ask for it only where you use it, because a signal costs as much as sending a command.
   */
  signal(): AbortSignal;
  /** Whether the call has failed for lack of time. It costs nothing, and suits a client that asks as it sends. */
  isOver(): boolean;
}

/** A server that has keys. */
export interface RedisMaster {
  /** Names the server among the masters, for the cursor of a listing. */
  readonly address: string;
  /** Sends one command to this server, as `send` of the executor does. */
  send(args: string[], limit: RedisTimeLimit): Promise<unknown>;
}

/**
 * Runs the driver's commands on one kind of client. All else (scripts, keys, decoding) is the driver's. The guide is
 * `docs/clients.md`.
 *
 * - A command is its name and its arguments, all texts. The client must not add to the keys, or change the texts.
 * - A reply is what the server sent: a number (or its digits), a text, `null`, or a list of such. A hash may come as a
 *   list of names and texts in turn, a list of pairs, a Map or an object.
 * - Every command goes to a master, even where the client is set to read from replicas.
 * - A command is sent at most once, unless the server refused it. Nothing is sent after its signal has aborted.
 * - A server's error reply rejects with an `Error` whose message begins with the code: `NOSCRIPT No matching script`. The
 *   error must not hold the command's arguments. Any other rejection means that the server was not reached.
 * - A call may take longer than its limit: the driver rejects in time by itself.
 */
export interface RedisExecutor {
  /** Sends one command to the master that has the key. */
  send(key: string, args: string[], limit: RedisTimeLimit): Promise<unknown>;
  /**
   * Sends two commands on one connection, one right after the other, and returns both replies: `WAIT` counts only the
   * writes of its own connection. Without this method the driver refuses `waitReplicas`.
   */
  pair?(key: string, first: string[], second: string[], limit: RedisTimeLimit): Promise<readonly unknown[]>;
  /** Returns every server that has keys, always in the same order. */
  masters(): Promise<readonly RedisMaster[]>;
}
