import type { Change, ListedRecord, ListQuery, NewRecord, SweepRange } from "@sessions/core";
import type { SqliteValue } from "./client.ts";
import type { Statement } from "./connection.ts";
import { tooLarge } from "./errors.ts";

const COLUMNS = "id, version, expires_at, principal, fields";

/** `json_patch` looks for each field of the patch among all: above this, a join is faster. */
const MANY_FIELDS = 500;

function jsonOf(fields: ReadonlyMap<string, string | null>): string {
  try {
    return JSON.stringify(Object.fromEntries(fields));
  } catch (error) {
    throw tooLarge(error);
  }
}

/** A row of `load` or `list`. */
export function parseRow([id, version, expiresAt, principal, json]: readonly unknown[]): ListedRecord {
  const fields: unknown = JSON.parse(String(json));
  return {
    id: String(id),
    version: Number(version),
    expiresAt: Number(expiresAt),
    fields: new Map(Object.entries(Object(fields)).map(([name, text]) => [name, String(text)])),
    ...(principal !== null && { principal: String(principal) }),
  };
}

/** SQLite's own name for the index that it makes of the primary key. */
export const primaryKeyOf = (table: string): string => `sqlite_autoindex_${table}_1`;

const statement = (sql: string, ...values: SqliteValue[]): Statement => ({ sql, values });

/** What the driver asks, with anonymous parameters only: the two kinds of handles number others differently. */
export function statementsOf(table: string) {
  const live = "WHERE id = ? AND expires_at > ?";

  return {
    create: (id: string, { expiresAt, principal, fields }: NewRecord, now: number): Statement =>
      statement(
        `INSERT INTO "${table}" (id, principal, version, expires_at, fields) VALUES (?, ?, 1, ?, ?)
         ON CONFLICT (id) DO UPDATE SET principal = excluded.principal, version = 1,
           expires_at = excluded.expires_at, fields = excluded.fields
         WHERE expires_at <= ?`,
        id,
        principal ?? null,
        expiresAt,
        jsonOf(fields),
        now,
      ),

    load: (id: string): Statement => statement(`SELECT ${COLUMNS} FROM "${table}" WHERE id = ?`, id),

    commit(id: string, { fields, expiresAt, principal, ifVersion }: Change, now: number): Statement {
      const sets: string[] = [];
      const values: SqliteValue[] = [];
      function set(assignment: string, ...bound: SqliteValue[]): void {
        sets.push(assignment);
        values.push(...bound);
      }
      if (fields.size > MANY_FIELDS) {
        const patch = jsonOf(fields);
        set(
          `fields = (SELECT json_group_object(key, value) FROM (
             SELECT key, value FROM json_each(fields) WHERE key NOT IN (SELECT key FROM json_each(?))
             UNION ALL SELECT key, value FROM json_each(?) WHERE type <> 'null'))`,
          patch,
          patch,
        );
      } else if (fields.size > 0) set("fields = json_patch(fields, ?)", jsonOf(fields));
      if (principal !== undefined) set("principal = ?", principal);
      if (expiresAt !== undefined) set("expires_at = ?", expiresAt);
      const counts = fields.size > 0 || principal !== undefined || ifVersion !== undefined;
      set(`version = version + ${Number(counts)}`);
      values.push(id, now);
      if (ifVersion !== undefined) values.push(ifVersion);
      return statement(
        `UPDATE "${table}" SET ${sets.join(", ")} ${live}${ifVersion === undefined ? "" : " AND version = ?"}`,
        ...values,
      );
    },

    isLive: (id: string, now: number): Statement => statement(`SELECT 1 FROM "${table}" ${live}`, id, now),

    destroy: (id: string, now: number): Statement => statement(`DELETE FROM "${table}" ${live}`, id, now),

    sweep: ({ after, before, limit }: SweepRange): Statement =>
      statement(
        // The planner would read the whole table where statistics say that it is small, as it was once.
        `DELETE FROM "${table}" INDEXED BY "${primaryKeyOf(table)}" WHERE id IN (
           SELECT id FROM "${table}" WHERE expires_at >= ? AND expires_at < ? ORDER BY expires_at LIMIT ?)`,
        after,
        before,
        limit,
      ),

    list: ({ principal, cursor = "", limit }: ListQuery, now: number): Statement =>
      principal === undefined
        ? statement(`SELECT ${COLUMNS} FROM "${table}" WHERE id > ? ORDER BY id LIMIT ?`, cursor, limit)
        : statement(
            // The plus keeps the index on the expiry out: it would have to sort.
            `SELECT ${COLUMNS} FROM "${table}"
             WHERE principal = ? AND id > ? AND +expires_at > ? ORDER BY id LIMIT ?`,
            principal,
            cursor,
            now,
            limit,
          ),
  };
}
