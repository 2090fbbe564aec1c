import type { MysqlExecutor } from "../executor.ts";
import { type LendOne, type Line, lend, promised, resultOf, toPool } from "./lending.ts";

// The types below are the part of `mysql2` that the driver uses, in both flavours (promises and callbacks).

/** A statement in the form that `mysql2` takes. Its options override the client's own settings for reading rows. */
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
  destroy?(): void;
}

/** One connection of a pool, of `mysql2/promise`. */
export interface MysqlPoolConnectionLike extends MysqlConnectionLike {
  release(): void;
  destroy(): void;
}

/** A pool of `mysql2/promise`, or nodes of a cluster: `cluster.of("PRIMARY*")`. */
export interface MysqlPoolLike {
  getConnection(): Promise<MysqlPoolConnectionLike>;
  /** Only a whole cluster has it, which may have replicas among its nodes. */
  readonly of?: never;
}

/** A pool or a connection of the flavour with callbacks, `mysql2`. */
export interface MysqlCallbackClientLike {
  promise(): MysqlPoolLike | MysqlConnectionLike;
}

/** Nodes of a cluster of the flavour with callbacks, `mysql2`: `cluster.of("PRIMARY*")`. */
export interface MysqlCallbackNodesLike {
  execute(...args: never[]): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: a connection of mysql2 has more than the driver knows of.
  getConnection(done: (error: any, connection: any) => void): void;
  readonly of?: never;
}

/** Any client of `mysql2`, with promises or with callbacks, except a whole cluster. */
export type MysqlClientLike =
  | MysqlPoolLike
  | MysqlConnectionLike
  | MysqlCallbackClientLike
  | MysqlCallbackNodesLike;

/**
 * Options that shield a statement from the client's own settings. mysql2 calls the client's `typeCast` for every column
 * unless the query passes its own function, so pass one.
 */
const PLAIN: Omit<MysqlStatement, "sql"> = {
  values: [],
  namedPlaceholders: false,
  nestTables: false,
  typeCast: (field) => field.buffer(),
};

const lineOf = (connection: MysqlConnectionLike): Line => ({
  send: async (sql) => resultOf((await connection.query({ sql, ...PLAIN }))[0]),
  destroy: async () => connection.destroy?.(),
});

/** The pool with callbacks inside a pool with promises, or nodes of a cluster with callbacks. */
interface CallbackPool {
  getConnection(done: (error: unknown, connection: CallbackConnection) => void): void;
}
interface CallbackConnection extends Omit<MysqlPoolConnectionLike, "query"> {
  readonly config?: { readonly nestTables?: unknown; readonly typeCast?: unknown };
  query(statement: MysqlStatement, done: Done): unknown;
  query(sql: string, values: string[], done: Done): unknown;
}
type Done = (error: unknown, answer: unknown) => void;

/** Whether the connection reads rows as the driver needs them. Options per statement make mysql2 a third slower. */
const isPlain = ({ config }: CallbackConnection): boolean => config?.typeCast === true && !config.nestTables;

function isCallbackPool(value: unknown): value is CallbackPool {
  return typeof Object(value).getConnection === "function";
}

/** The name is the only one that tells nodes with callbacks from nodes with promises. */
const isCallbackNodes = (client: MysqlClientLike): client is MysqlCallbackNodesLike =>
  "_getClusterNode" in client;

/**
 * Reads the flags behind the rows of a command of mysql2, which does not show them: in a transaction that the application
 * has left open, the rows may be old.
 */
function flagsOf(command: unknown): () => unknown {
  let flags: unknown;
  const { row }: { row?: unknown } = Object(command);
  if (typeof row !== "function") return () => undefined;
  const watched = (packet: { isEOF(): boolean; eofStatusFlags(): number }, connection: unknown): unknown => {
    if (packet.isEOF()) flags = packet.eofStatusFlags();
    const next: unknown = row.call(command, packet, connection);
    // The command names what reads its next packet: for each row the same.
    return next === row ? watched : next;
  };
  Reflect.set(Object(command), "row", watched);
  return () => flags;
}

const callbackLine = (connection: CallbackConnection): Line => ({
  async send(sql) {
    let flags: () => unknown = () => undefined;
    const answer = await promised<unknown>((done) => {
      flags = flagsOf(
        isPlain(connection)
          ? connection.query(sql, PLAIN.values, done)
          : connection.query({ sql, ...PLAIN }, done),
      );
    });
    return resultOf(answer, flags());
  },
  destroy: async () => connection.destroy?.(),
});

/** Faster than a pool with promises, which wraps a connection and records a stack for every statement. */
const callbackPool = (pool: CallbackPool): MysqlExecutor => ({
  async lease(work) {
    const connection = await promised<CallbackConnection>((done) => pool.getConnection(done));
    return lend(callbackLine(connection), toPool(connection), work);
  },
});

/** The connection inside one with promises: an application may give the driver either, or both. */
function innermost(client: MysqlClientLike): object {
  const inner: unknown = "connection" in client ? client.connection : undefined;
  return typeof inner === "object" && inner !== null ? inner : client;
}

const isCallbackConnection = (client: object): client is CallbackConnection =>
  "promise" in client && "query" in client && "destroy" in client;

/** Runs statements on any client of `mysql2`. */
export function mysql2(client: MysqlClientLike, lendOne: LendOne): MysqlExecutor {
  if (isCallbackNodes(client)) return callbackPool(client);
  const flavour = "promise" in client ? client.promise() : client;
  if (!("getConnection" in flavour)) {
    const inner = innermost(client);
    return lendOne(inner, isCallbackConnection(inner) ? callbackLine(inner) : lineOf(flavour));
  }
  const pool = "pool" in flavour ? flavour.pool : undefined;
  if (isCallbackPool(pool)) return callbackPool(pool);
  return {
    async lease(work) {
      const connection = await flavour.getConnection();
      return lend(lineOf(connection), toPool(connection), work);
    },
  };
}
