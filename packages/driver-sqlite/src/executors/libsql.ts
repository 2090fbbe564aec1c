import { SessionConfigError } from "@sessions/core";
import { sqliteError } from "../errors.ts";
import type { SqliteExecutor, SqliteStatement, SqliteTimeLimit, SqliteValue } from "../executor.ts";

/** The few members of a client of `@libsql/client` that the driver uses. */
export interface LibsqlClientLike {
  /** `"file"`, `"http"` or `"ws"`. */
  readonly protocol: string;
  execute(statement: { sql: string; args: SqliteValue[] }): Promise<{
    readonly rows: readonly ArrayLike<unknown>[];
    readonly rowsAffected: number;
  }>;
  executeMultiple(sql: string): Promise<void>;
  sync(): Promise<unknown>;
}

/** SQLite's codes for the client's. */
const CODES: Readonly<Record<string, string>> = {
  SQL_INPUT_ERROR: "SQLITE_ERROR",
  SQLITE_UNKNOWN: "SQLITE_ERROR",
  // The driver's arguments always match its statements, so one of them is too large.
  ARGS_INVALID: "SQLITE_TOOBIG",
  // A database in memory has one connection, and a transaction of the application has it.
  TRANSACTION_ACTIVE: "SQLITE_LOCKED",
};

/** Restores SQLite's error: the client writes `SQLITE_UNKNOWN: SQLite error: no such table: t (at offset 14)`. */
function restoreError(error: unknown): never {
  const { code, message, cause }: Record<string, unknown> = Object(error);
  // `fetch` says what happened in its cause.
  if (typeof code !== "string") throw cause ?? error;
  const text = `${message}`.replace(/^\w+: (SQL(ite| input) error: )?| \(at offset \d+\)$/g, "");
  throw sqliteError(error, CODES[code] ?? code, code === "CLIENT_CLOSED" ? "database is not open" : text);
}

/**
 * Rejects if a file is a copy of a server's database (`syncUrl`), which may be old. Only `sync()` tells: it fails at once
 * where there is no server.
 */
async function refuseReplica(client: LibsqlClientLike): Promise<void> {
  const refusal: unknown = await client.sync().catch((error: unknown) => error);
  const { code, message }: Record<string, unknown> = Object(refusal);
  if (code === "CLIENT_CLOSED" || code === "TRANSACTION_ACTIVE") restoreError(refusal);
  if (!`${message}`.startsWith("SyncNotSupported"))
    throw new SessionConfigError(
      "client must be one without syncUrl: the copy of a server's database may be old, so that a session that has ended would still open. Give the driver a client with the server's URL.",
    );
}

/**
 * Runs statements on a client of `@libsql/client`: on a file, or on a server over HTTP. A file's client has a connection
 * for each transaction of the application, so that one of these does not contain the driver's statements.
 */
export function libsql(client: LibsqlClientLike): SqliteExecutor {
  if (client.protocol === "ws")
    throw new SessionConfigError(
      "client must use HTTP, because over a WebSocket it sends later what it could not send at first. Make it with libsql: or https: instead of wss:",
    );
  const isFile = client.protocol === "file";
  let checked: Promise<void> | undefined;

  async function execute({ sql, values }: SqliteStatement, limit: SqliteTimeLimit) {
    if (isFile) {
      checked ??= refuseReplica(client);
      await checked.catch((error: unknown) => {
        checked = undefined;
        throw error;
      });
    }
    const statement = {
      // The client reads this when one of its connections is free.
      get sql() {
        if (limit.isOver()) throw new Error("The time was over before the client could send the statement");
        return sql;
      },
      args: [...values],
    };
    return client.execute(statement).catch(restoreError);
  }

  return {
    isFile,
    read: async (statement, limit) => {
      const { rows } = await execute(statement, limit);
      return rows.map((row) => Array.from(row));
    },
    write: async (statement, limit) => (await execute(statement, limit)).rowsAffected,
  };
}
