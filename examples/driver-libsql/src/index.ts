import type { Client, InStatement, ResultSet, Row } from "@libsql/client";
import {
  type Duration,
  type ListedRecord,
  type ListingDriver,
  type ProvisionedDriver,
  SessionSetupError,
  SessionTooLargeError,
} from "@sessions/core";
import {
  checkClient,
  checkOptions,
  createCall,
  milliseconds,
  pageById,
  raisesVersion,
  readTable,
  retry,
  shownError,
} from "@sessions/core/driver-tools";
import { createProvisioning } from "./provisioning.ts";

export { fromUrl } from "./from-url.ts";

/** The methods of the client that the driver calls. */
export type LibsqlClientLike = Pick<Client, "execute" | "batch">;

/** Runs statements in one round trip and one transaction. There is a result for each of them. */
export type Run = (
  statements: InStatement[],
  about?: { readonly timeout?: number; readonly changes?: boolean },
) => Promise<ResultSet[]>;

/** Options of `libsqlDriver`. */
export interface LibsqlDriverOptions {
  /** A client of `@libsql/client` without `syncUrl`. You open it and close it. */
  readonly client: LibsqlClientLike;
  /**
   * The table's name: 1 to 64 of `A-Z a-z 0-9 _`. `setup()` makes it.
   * @default "sessions"
   */
  readonly table?: string | undefined;
  /**
   * How long a call may take. After that it is `DriverUnavailableError`.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

const codeOf = (error: unknown): unknown => Object(error).code;

/** The error of this library that a client's error stands for, or a copy of it: its message may show the row. */
function shown(error: unknown): Error {
  if (/no such table/.test(String(Object(error).message)))
    return new SessionSetupError(
      "libsql: the table is missing. Call setup() or name another in the option table",
    );
  if (codeOf(error) === "SQLITE_TOOBIG")
    return new SessionTooLargeError("libsql: the session is too large for a row");
  return shownError(
    error,
    ["code", "extendedCode", "rawCode"],
    "libsql: the client's error, without its data",
  );
}

// fromEntries() makes properties of its own, also of a field that is called `__proto__/x`.
const textOf = (fields: ReadonlyMap<string, string | null>): string =>
  JSON.stringify(Object.fromEntries(fields));

function recordOf({ id, version, expires_at, principal, fields }: Row): ListedRecord {
  const named: Record<string, string> = JSON.parse(String(fields));
  return {
    ...{ id: String(id), version: Number(version), expiresAt: Number(expires_at) },
    ...(principal !== null && { principal: String(principal) }),
    fields: new Map(Object.entries(named)),
  };
}

/**
 * Keeps sessions in a table of libSQL: a file, or a server such as Turso.
 *
 * @throws SessionConfigError if an option is unknown or out of range. The message names it.
 */
export function libsqlDriver(options: LibsqlDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("libsqlDriver", options, ["client", "table", "timeout"]);
  const { client, timeout = "2s" } = options;
  checkClient(client, "a client of @libsql/client", ["execute() batch()"]);
  const table = readTable(options.table ?? "sessions", {
    form: /^\w{1,64}$/,
    must: "1 to 64 of A-Z a-z 0-9 _",
  });
  const call = createCall({
    driver: "libsql",
    timeout: milliseconds("timeout", timeout),
    translate: () => undefined,
  });
  const run: Run = (statements, { timeout, changes = false } = {}) => {
    async function send(signal: AbortSignal): Promise<ResultSet[]> {
      signal.throwIfAborted();
      try {
        const [first] = statements;
        return first && statements.length === 1
          ? [await client.execute(first)]
          : await client.batch(statements, changes ? "write" : "read");
      } catch (error) {
        throw shown(error);
      }
    }
    // A file has one writer at a time, and tells others at once that it is busy. Nothing was written then.
    const isContention = (error: unknown) => codeOf(error) === "SQLITE_BUSY";
    return call((signal) => retry(() => send(signal), { isContention }), timeout, { changes });
  };
  /** How many rows the first of the statements changed. */
  const changed = async (...statements: InStatement[]) =>
    (await run(statements, { changes: true }))[0]?.rowsAffected ?? 0;
  const select = `SELECT id, version, expires_at, principal, fields FROM ${table.quoted}`;

  return {
    name: "libsql",

    async create(id, { expiresAt, principal, fields }, now) {
      const sql = `INSERT INTO ${table.quoted} AS old (id, version, expires_at, principal, fields) VALUES (?, 1, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET version = 1, expires_at = excluded.expires_at, principal = excluded.principal,
        fields = excluded.fields WHERE old.expires_at <= ?`;
      return (await changed({ sql, args: [id, expiresAt, principal ?? null, textOf(fields), now] })) === 1;
    },

    async load(id) {
      const [row] = (await run([{ sql: `${select} WHERE id = ?`, args: [id] }]))[0]?.rows ?? [];
      if (!row) return undefined;
      const { id: _, ...record } = recordOf(row);
      return record;
    },

    async commit(id, { fields, expiresAt = null, principal, ifVersion }, now) {
      const sets = ["expires_at = coalesce(?, expires_at)"];
      const args: (string | number | null)[] = [expiresAt];
      if (fields.size > 0) {
        sets.push("fields = json_patch(fields, ?)");
        args.push(textOf(fields));
      }
      if (principal !== undefined) {
        sets.push("principal = ?");
        args.push(principal);
      }
      if (raisesVersion({ fields, principal, ifVersion })) sets.push("version = version + 1");
      const isLive = {
        sql: `SELECT 1 FROM ${table.quoted} WHERE id = ? AND expires_at > ?`,
        args: [id, now],
      };
      const update = `UPDATE ${table.quoted} SET ${sets.join(", ")} WHERE id = ? AND expires_at > ?`;
      args.push(id, now);
      if (ifVersion === undefined) return (await changed({ sql: update, args })) === 1 ? "committed" : "gone";
      // The look comes first: the update may end the record.
      const sql = `${update} AND version = ?`;
      const [look, updated] = await run([isLive, { sql, args: [...args, ifVersion] }], { changes: true });
      if (look?.rows.length === 0) return "gone";
      return updated?.rowsAffected === 1 ? "committed" : "conflict";
    },

    async destroy(id, now) {
      const sql = `DELETE FROM ${table.quoted} WHERE id = ? AND expires_at > ?`;
      return (await changed({ sql, args: [id, now] })) === 1;
    },

    sweep({ after, before, limit }) {
      const sql = `DELETE FROM ${table.quoted} WHERE id IN
        (SELECT id FROM ${table.quoted} WHERE expires_at >= ? AND expires_at < ? ORDER BY expires_at LIMIT ?)`;
      return changed({ sql, args: [after, before, limit] });
    },

    async list({ principal, cursor = "", limit }, now) {
      const ofPrincipal = principal === undefined ? "" : "AND principal = ? AND expires_at > ?";
      const sql = `${select} WHERE id > ? ${ofPrincipal} ORDER BY id LIMIT ?`;
      const args = [cursor, ...(principal === undefined ? [] : [principal, now]), limit];
      return pageById(((await run([{ sql, args }]))[0]?.rows ?? []).map(recordOf), limit);
    },

    ...createProvisioning(table, run),
  };
}
