import {
  type Change,
  type ListedRecord,
  type ListQuery,
  type NewRecord,
  SessionCodecError,
  type StoredRecord,
  type SweepRange,
} from "@sessions/core";
import { raisesVersion } from "@sessions/core/driver-tools";
import { tooLarge } from "./errors.ts";
import type { SqliteStatement, SqliteValue } from "./executor.ts";

const RECORD = "version, expires_at, principal, fields";
const COLUMNS = `id, ${RECORD}`;

/** Above this number of fields, a join is faster: `json_patch` searches all fields of the record for each one. */
const MANY_FIELDS = 500;

function jsonOf(fields: ReadonlyMap<string, string | null>): string {
  try {
    return JSON.stringify(Object.fromEntries(fields));
  } catch (error) {
    throw tooLarge(error);
  }
}

function parse(json: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(json));
  } catch {
    // The parser's own error shows a piece of the text.
    throw new SessionCodecError("sqlite: the fields of a row are not valid JSON. Repair or delete the row.");
  }
}

/** Parses a row of `load`. */
export function parseRecord([version, expiresAt, principal, json]: readonly unknown[]): StoredRecord {
  const fields = new Map<string, string>();
  const parsed = parse(String(json));
  for (const name of Object.keys(parsed)) fields.set(name, String(parsed[name]));
  const record = { version: Number(version), expiresAt: Number(expiresAt), fields };
  return principal === null ? record : { ...record, principal: String(principal) };
}

/** Parses a row of `list`. */
export const parseRow = ([id, ...columns]: readonly unknown[]): ListedRecord => ({
  id: String(id),
  ...parseRecord(columns),
});

/** The table's name in statements. Without its schema, a TEMP table of the application's handle would be taken for it. */
export const quotedName = (table: string): string => `main."${table}"`;

/** SQLite's own name for the index of the primary key. */
export const primaryKeyOf = (table: string): string => `sqlite_autoindex_${table}_1`;

const statement = (sql: string, ...values: SqliteValue[]): SqliteStatement => ({ sql, values });

/** Numbers the shape of a change; changes of one shape have the same SQL. */
const shapeOf = ({ fields, expiresAt, principal, ifVersion }: Change): number =>
  (fields.size > MANY_FIELDS ? 2 : Math.min(fields.size, 1)) +
  (principal === undefined ? 0 : 3) +
  (expiresAt === undefined ? 0 : 6) +
  (ifVersion === undefined ? 0 : 12);

/** The statements for one table. Parameters are anonymous: the two kinds of handles number others differently. */
export function statementsOf(table: string) {
  const quoted = quotedName(table);
  const live = "WHERE id = ? AND expires_at > ?";
  const load = `SELECT ${RECORD} FROM ${quoted} WHERE id = ?`;

  const commits: string[] = [];

  function commitSql(change: Change): string {
    const { fields, expiresAt, principal, ifVersion } = change;
    const sets: string[] = [];
    if (fields.size > MANY_FIELDS)
      sets.push(`fields = (SELECT json_group_object(key, value) FROM (
           SELECT key, value FROM json_each(fields) WHERE key NOT IN (SELECT key FROM json_each(?))
           UNION ALL SELECT key, value FROM json_each(?) WHERE type <> 'null'))`);
    else if (fields.size > 0) sets.push("fields = json_patch(fields, ?)");
    if (principal !== undefined) sets.push("principal = ?");
    if (expiresAt !== undefined) sets.push("expires_at = ?");
    sets.push(`version = version + ${Number(raisesVersion(change))}`);
    return `UPDATE ${quoted} SET ${sets.join(", ")} ${live}${ifVersion === undefined ? "" : " AND version = ?"}`;
  }

  return {
    create: (id: string, { expiresAt, principal, fields }: NewRecord, now: number): SqliteStatement =>
      statement(
        `INSERT INTO ${quoted} (id, principal, version, expires_at, fields) VALUES (?, ?, 1, ?, ?)
         ON CONFLICT (id) DO UPDATE SET principal = excluded.principal, version = 1,
           expires_at = excluded.expires_at, fields = excluded.fields
         WHERE expires_at <= ?`,
        id,
        principal ?? null,
        expiresAt,
        jsonOf(fields),
        now,
      ),

    load: (id: string): SqliteStatement => ({ sql: load, values: [id] }),

    commit(id: string, change: Change, now: number): SqliteStatement {
      const { fields, expiresAt, principal, ifVersion } = change;
      const values: SqliteValue[] = [];
      if (fields.size > 0) {
        const patch = jsonOf(fields);
        values.push(patch);
        if (fields.size > MANY_FIELDS) values.push(patch);
      }
      if (principal !== undefined) values.push(principal);
      if (expiresAt !== undefined) values.push(expiresAt);
      values.push(id, now);
      if (ifVersion !== undefined) values.push(ifVersion);
      // Keep the text: a newly built string is slower to look up in the cache of prepared statements.
      const shape = shapeOf(change);
      commits[shape] ??= commitSql(change);
      const sql = commits[shape];
      return { sql, values };
    },

    /** The version of a live record. */
    version: (id: string, now: number): SqliteStatement =>
      statement(`SELECT version FROM ${quoted} ${live}`, id, now),

    destroy: (id: string, now: number): SqliteStatement =>
      statement(`DELETE FROM ${quoted} ${live}`, id, now),

    sweep: ({ after, before, limit }: SweepRange): SqliteStatement =>
      statement(
        // INDEXED BY, because the planner would read the whole table if old statistics say that it is small.
        `DELETE FROM ${quoted} INDEXED BY "${primaryKeyOf(table)}" WHERE id IN (
           SELECT id FROM ${quoted} WHERE expires_at >= ? AND expires_at < ? ORDER BY expires_at LIMIT ?)`,
        after,
        before,
        limit,
      ),

    list: ({ principal, cursor = "", limit }: ListQuery, now: number): SqliteStatement =>
      principal === undefined
        ? statement(`SELECT ${COLUMNS} FROM ${quoted} WHERE id > ? ORDER BY id LIMIT ?`, cursor, limit)
        : statement(
            // The plus keeps the planner off the index on the expiry, with which it would have to sort.
            `SELECT ${COLUMNS} FROM ${quoted}
             WHERE principal = ? AND id > ? AND +expires_at > ? ORDER BY id LIMIT ?`,
            principal,
            cursor,
            now,
            limit,
          ),
  };
}
