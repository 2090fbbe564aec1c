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

// Every value goes to the server as a text, and every column comes back as one. So it does not matter how a client writes
// a number, a list or JSON, and how it reads them. `$1` is compared with a text, which needs no cast.
const RECORD = "id, version::text, expires_at::text AS expires, principal, fields::text";

// $1 id, $2 now, $3 names to delete, $4 names and texts to set, $5 expiry or null to keep it, $6 whether the principal
// changes, $7 to what, $8 how much the version grows.
const CHANGES = `
  fields = (s.fields - $3::text::text[]) || $4::text::jsonb,
  expires_at = COALESCE($5::text::bigint, s.expires_at),
  principal = CASE WHEN $6::text::boolean THEN $7::text ELSE s.principal END,
  version = s.version + $8::text::int`;

export function statementsOf(table: string): Statements {
  return {
    // Replaces an expired record. If the record is live, it changes nothing, and the row count is 0.
    create: `INSERT INTO ${table} AS s (${COLUMNS}) VALUES ($1, 1, $2::text::bigint, $3, $4::text::jsonb)
ON CONFLICT (id) DO UPDATE SET version = 1, expires_at = EXCLUDED.expires_at, principal = EXCLUDED.principal,
  fields = EXCLUDED.fields
WHERE s.expires_at <= $5::text::bigint`,
    load: `SELECT ${RECORD} FROM ${table} WHERE id = $1`,
    commit: `UPDATE ${table} AS s SET ${CHANGES}
WHERE s.id = $1 AND s.expires_at > $2::text::bigint`,
    // Lock the row first: otherwise a race with destroy() could return a conflict with a record that is gone.
    compareAndSet: `WITH r AS MATERIALIZED (
  SELECT id, version FROM ${table} WHERE id = $1 AND expires_at > $2::text::bigint FOR UPDATE
), u AS (
  UPDATE ${table} AS s SET ${CHANGES}
  FROM r WHERE s.id = r.id AND r.version = $9::text::bigint RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM u) THEN 'committed' WHEN EXISTS (SELECT FROM r) THEN 'conflict' ELSE 'gone' END
  AS outcome`,
    destroy: `DELETE FROM ${table} WHERE id = $1 AND expires_at > $2::text::bigint`,
    // SKIP LOCKED leaves rows that are being written to the next sweep. ANY (ARRAY(…)), because for a join the planner
    // might read the whole table.
    sweep: `DELETE FROM ${table} WHERE id = ANY (ARRAY(
  SELECT id FROM ${table} WHERE expires_at >= $1::text::bigint AND expires_at < $2::text::bigint
  ORDER BY expires_at LIMIT $3::text::int FOR UPDATE SKIP LOCKED
)) AND expires_at >= $1::text::bigint AND expires_at < $2::text::bigint`,
    list: `SELECT ${RECORD} FROM ${table} WHERE id > $1 ORDER BY id LIMIT $2::text::int`,
    listPrincipal: `SELECT ${RECORD} FROM ${table}
WHERE principal = $4 AND expires_at > $3::text::bigint AND id > $1 ORDER BY id LIMIT $2::text::int`,
  };
}

/** Prints fields as a JSON object. Not through a JavaScript object, in which `__proto__` and numbers are special names. */
export function toJson(fields: Iterable<readonly [string, string]>): string {
  return `{${[...fields].map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`).join(",")}}`;
}

/** Prints names as an array of PostgreSQL. */
export function toArray(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}

/** The columns of a row by their names. A row may be a list in the columns' order. */
export function valuesOf<Name extends string>(
  row: unknown,
  names: readonly Name[],
): Partial<Record<Name, unknown>>;
export function valuesOf(row: unknown, names: readonly string[]): Record<string, unknown> {
  return Array.isArray(row) ? Object.fromEntries(names.map((name, i) => [name, row[i]])) : Object(row);
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

export function parseRow(row: unknown): { id: string } & StoredRecord {
  const columns = valuesOf(row, ["id", "version", "expires", "principal", "fields"]);
  const { id, version, expires, principal, fields } = columns;
  const parsed: unknown = parse(String(fields));
  return {
    id: String(id),
    version: Number(version),
    expiresAt: Number(expires),
    fields: new Map(Object.entries(Object(parsed)).map(([name, text]) => [name, String(text)])),
    ...(typeof principal === "string" && { principal }),
  };
}
