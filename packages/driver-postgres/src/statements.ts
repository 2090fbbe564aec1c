import { SessionCodecError, type StoredRecord } from "@sessions/core";

/** The statements for one table. Each is one round trip, and atomic under every isolation level. */
export interface Statements {
  readonly create: string;
  readonly load: string;
  readonly commit: string;
  readonly compareAndSet: string;
  readonly destroy: string;
  readonly sweep: string;
  readonly list: string;
  readonly listPrincipal: string;
}

const COLUMNS = "id, version, expires_at, principal, fields";

// $1 id, $2 now, $3 names to delete, $4 names and texts to set, $5 expiry or null to keep it, $6 whether the principal
// changes, $7 to what, $8 how much the version grows.
const CHANGES = `
  fields = (s.fields - $3::text[]) || $4::jsonb,
  expires_at = COALESCE($5::bigint, s.expires_at),
  principal = CASE WHEN $6::boolean THEN $7::text ELSE s.principal END,
  version = s.version + $8::int`;

export function statementsOf(table: string): Statements {
  return {
    // Replaces an expired record. If the record is live, it changes nothing, and the row count is 0.
    create: `INSERT INTO ${table} AS s (${COLUMNS}) VALUES ($1, 1, $2::bigint, $3, $4::jsonb)
ON CONFLICT (id) DO UPDATE SET version = 1, expires_at = EXCLUDED.expires_at, principal = EXCLUDED.principal,
  fields = EXCLUDED.fields
WHERE s.expires_at <= $5::bigint`,
    load: `SELECT ${COLUMNS} FROM ${table} WHERE id = $1`,
    commit: `UPDATE ${table} AS s SET ${CHANGES}
WHERE s.id = $1 AND s.expires_at > $2::bigint`,
    // Lock the row first: otherwise a race with destroy() could return a conflict with a record that is gone.
    compareAndSet: `WITH r AS MATERIALIZED (
  SELECT id, version FROM ${table} WHERE id = $1 AND expires_at > $2::bigint FOR UPDATE
), u AS (
  UPDATE ${table} AS s SET ${CHANGES}
  FROM r WHERE s.id = r.id AND r.version = $9::bigint RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM u) THEN 'committed' WHEN EXISTS (SELECT FROM r) THEN 'conflict' ELSE 'gone' END
  AS outcome`,
    destroy: `DELETE FROM ${table} WHERE id = $1 AND expires_at > $2::bigint`,
    // SKIP LOCKED leaves rows that are being written to the next sweep. ANY (ARRAY(…)), because for a join the planner
    // might read the whole table.
    sweep: `DELETE FROM ${table} WHERE id = ANY (ARRAY(
  SELECT id FROM ${table} WHERE expires_at >= $1::bigint AND expires_at < $2::bigint
  ORDER BY expires_at LIMIT $3::int FOR UPDATE SKIP LOCKED
)) AND expires_at >= $1::bigint AND expires_at < $2::bigint`,
    list: `SELECT ${COLUMNS} FROM ${table} WHERE id > $1 ORDER BY id LIMIT $2::int`,
    listPrincipal: `SELECT ${COLUMNS} FROM ${table}
WHERE principal = $4 AND expires_at > $3::bigint AND id > $1 ORDER BY id LIMIT $2::int`,
  };
}

/** Prints fields as a JSON object. Not through a JavaScript object, in which `__proto__` and numbers are special names. */
export function toJson(fields: Iterable<readonly [string, string]>): string {
  return `{${[...fields].map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`).join(",")}}`;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own error shows a piece of the text.
    throw new SessionCodecError(
      "postgres: the fields of a row are not valid JSON. Repair or delete the row.",
    );
  }
}

/** Parses a row. By default `pg` returns `bigint` as text and `jsonb` parsed, but applications can change both. */
export function parseRow(row: unknown): { id: string } & StoredRecord {
  const { id, version, expires_at, principal, fields }: Record<string, unknown> = Object(row);
  const parsed: unknown = typeof fields === "string" ? parse(fields) : fields;
  return {
    id: String(id),
    version: Number(version),
    expiresAt: Number(expires_at),
    fields: new Map(Object.entries(Object(parsed)).map(([name, text]) => [name, String(text)])),
    ...(typeof principal === "string" && { principal }),
  };
}
