import { SessionConfigError } from "@sessions/core";
import type { PostgresExecutor } from "../executor.ts";
import { sendAndAsk } from "./open-transaction.ts";
import { withdrawable } from "./withdrawable.ts";

// The few members of `postgres` (postgres.js) that the driver uses.

/** What a statement returned: rows of bytes, and how many rows it read or wrote. */
export interface PostgresJsRows extends Array<(Uint8Array | null)[]> {
  readonly count: number;
}

/** A statement that is sent when it is awaited. */
export interface PostgresJsQueryLike {
  raw(): PromiseLike<PostgresJsRows>;
}

/** What `postgres()` makes. */
export interface PostgresJsLike {
  readonly options: {
    readonly max: number;
    readonly host: readonly string[];
    readonly target_session_attrs?: string | undefined;
    readonly transform: { readonly row: { readonly from?: unknown } };
    // biome-ignore lint/suspicious/noExplicitAny: the client's own type of a value.
    readonly serializers?: Readonly<Record<number, (value: any) => unknown>> | undefined;
  };
  unsafe(
    text: string,
    values: (string | null)[],
    options: { readonly prepare: boolean },
  ): PostgresJsQueryLike;
  begin(...args: never[]): unknown;
}

/** Names that this client gives to an error's properties, and those of the driver. */
const NAMES = {
  schema_name: "schema",
  table_name: "table",
  column_name: "column",
  "data type_name": "dataType",
  constraint_name: "constraint",
} as const;

/** The client leaves out what the server did not send: without `where`, no function was involved. */
function renamed(error: unknown): unknown {
  for (const [name, known] of Object.entries(NAMES)) {
    const value: unknown = Object(error)[name];
    if (value !== undefined) Object.assign(Object(error), { [known]: value });
  }
  return Object.assign(Object(error), { where: Object(error).where });
}

/**
 * Runs statements on a client of `postgres`. Its `cancel()` is not used: it ends the process by an unhandled rejection if
 * the server cannot be reached, and it loses a connection of the pool if that is not open yet. So a statement that is late
 * is made harmless while it waits in the client, and the server finishes what it has already.
 */
export function postgresJs(sql: PostgresJsLike): PostgresExecutor {
  // Every value that the driver sends is a text, whose type has this number.
  const { 25: serialize } = sql.options.serializers ?? {};
  if (serialize && serialize("Text") !== "Text")
    throw new SessionConfigError(
      "client must send texts as they are: make another with postgres() without a serializer for type 25 for the driver",
    );
  // Bytes pass all settings of the client (parsers, names of columns, values) but this one.
  if (sql.options.transform.row.from)
    throw new SessionConfigError(
      "client must not change rows: make another with postgres() without transform.row for the driver",
    );
  // The client takes a standby for one of "read-write", too, and the first host that answers without this option.
  const { host, target_session_attrs: target = host.length > 1 ? "any" : "primary" } = sql.options;
  if (target !== "primary")
    throw new SessionConfigError(
      `client must read from the primary alone: make another with target_session_attrs: "primary" for the driver; got "${target}"`,
    );
  // A client that was made with `prepare: false`, as behind PgBouncer, does not prepare these either.
  const send = (text: string, values: (string | null)[]) => sql.unsafe(text, values, { prepare: true }).raw();
  // With more connections than one, the client refuses a BEGIN outside of its own transactions.
  const isSingle = sql.options.max === 1;
  return {
    async run(text, values, limit) {
      try {
        const given = withdrawable(values, limit);
        const result = await (isSingle ? sendAndAsk(send, text, given) : send(text, given));
        const rows = Array.from(result, (row) => row.map((value) => value && Buffer.from(value).toString()));
        return { rows, rowCount: result.count };
      } catch (error) {
        throw renamed(error);
      }
    },
  };
}
