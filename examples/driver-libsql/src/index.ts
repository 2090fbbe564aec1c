import { performance } from "node:perf_hooks";
import type { Client, InStatement, ResultSet, Row } from "@libsql/client";
import {
  DriverUnavailableError,
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
export type Run = (statements: InStatement[], timeout?: number) => Promise<ResultSet[]>;

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
const isContention = (error: unknown): boolean => codeOf(error) === "SQLITE_BUSY";

function translate(error: unknown) {
  if (/no such table/.test(String(Object(error).message)))
    return new SessionSetupError(
      "libsql: the table is missing. Call setup() or name another in the option table",
    );
  // The server's message may show the row.
  const cause = shownError(
    error,
    ["code", "extendedCode", "rawCode"],
    "libsql: the client's error, without its data",
  );
  return codeOf(error) === "SQLITE_TOOBIG"
    ? new SessionTooLargeError("libsql: the session is larger than a row may be", { cause })
    : new DriverUnavailableError(
        `libsql: the database cannot be reached, or refuses (${codeOf(error) ?? "unknown"})`,
        {
          cause,
        },
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
  const timeoutMs = milliseconds("timeout", timeout);
  const call = createCall({ driver: "libsql", timeout: timeoutMs, translate });
  /** A file has one writer at a time, and tells others at once that it is busy. Nothing was written then. */
  const run: Run = (statements, limit = timeoutMs) => {
    const deadline = performance.now() + limit;
    const [first] = statements;
    const send = async () =>
      first && statements.length === 1 ? [await client.execute(first)] : client.batch(statements, "write");
    return call(() => retry(send, { isContention, deadline }), limit);
  };
  /** How many rows the first of the statements changed. */
  const changed = async (...statements: InStatement[]) => (await run(statements))[0]?.rowsAffected ?? 0;
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
      const [look, updated] = await run([isLive, { sql, args: [...args, ifVersion] }]);
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
