import { sqliteError } from "../errors.ts";
import type { SqliteExecutor, SqliteValue } from "../executor.ts";

/** The few members of a statement of Cloudflare D1 that the driver uses. */
export interface D1StatementLike {
  bind(...values: SqliteValue[]): D1StatementLike;
  run(): Promise<{ readonly meta: { readonly changes: number } }>;
  raw(): Promise<unknown[]>;
}

/** The few members of a database of Cloudflare D1 that the driver uses. */
export interface D1DatabaseLike {
  prepare(sql: string): D1StatementLike;
  batch(statements: never[]): unknown;
}

/** The few members of a Durable Object's `ctx.storage.sql` that the driver uses. */
export interface DurableObjectSqlLike {
  readonly databaseSize: number;
  exec(sql: string, ...values: SqliteValue[]): { raw(): Iterable<unknown> };
}

/** A row holds 2 MB. In its JSON a text may take twice its bytes, because marks such as quotes are escaped. */
const RECORD_BYTES = 1_000_000;

/**
 * Restores SQLite's error. Cloudflare writes `D1_ERROR: no such table: t at offset 14: SQLITE_ERROR`, and a Durable
 * Object the same without the first word.
 */
function restoreError(error: unknown): never {
  const [, text, code] =
    /^(?:D1_\w+: )?(.*?)(?: at offset \d+)?: (SQLITE_\w+)(?: \(extended: \w+\))?$/s.exec(
      String(Object(error).message),
    ) ?? [];
  throw text === undefined || code === undefined ? error : sqliteError(error, code, text);
}

/** Runs statements on a database of Cloudflare D1: on its primary, which `prepare()` asks outside of a session. */
export function d1(client: D1DatabaseLike): SqliteExecutor {
  return {
    isFile: false,
    maxRecordBytes: RECORD_BYTES,
    read: async ({ sql, values }) => {
      try {
        return await client
          .prepare(sql)
          .bind(...values)
          .raw();
      } catch (error) {
        return restoreError(error);
      }
    },
    write: async ({ sql, values }) => {
      try {
        const { meta } = await client
          .prepare(sql)
          .bind(...values)
          .run();
        return meta.changes;
      } catch (error) {
        return restoreError(error);
      }
    },
  };
}

/** Runs statements on the database of a Durable Object, at once. */
export function durableObject(client: DurableObjectSqlLike): SqliteExecutor {
  function rows(sql: string, values: readonly SqliteValue[]): unknown[] {
    try {
      return [...client.exec(sql, ...values).raw()];
    } catch (error) {
      return restoreError(error);
    }
  }
  return {
    isFile: false,
    maxRecordBytes: RECORD_BYTES,
    read: ({ sql, values }) => rows(sql, values),
    write({ sql, values }) {
      rows(sql, values);
      const [count] = rows("SELECT changes()", []);
      return Number(Object(count)[0]);
    },
  };
}
