import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { PgResult } from "./client.ts";

export interface Provisioning {
  readonly table: string;
  readonly unlogged: boolean;
  send(text: string, values?: unknown[], timeout?: number): Promise<PgResult>;
}

const COLUMNS = [
  { name: "id", type: "text", collation: "C", nullable: false },
  { name: "version", type: "bigint", collation: null, nullable: false },
  { name: "expires_at", type: "bigint", collation: null, nullable: false },
  { name: "principal", type: "text", collation: "C", nullable: true },
  { name: "fields", type: "jsonb", collation: null, nullable: false },
];

/** A table with all of these is the driver's, whatever else it lacks. */
const DISTINCTIVE = ["id", "version", "expires_at"];

/** The table's own name, and its schema's where one is named. */
function partsOf(table: string): { name: string; schema: string | undefined; quoted: string } {
  const parts = table.split(".");
  const quoted = parts.map((part) => `"${part}"`).join(".");
  return { name: parts.at(-1) ?? table, schema: parts.length > 1 ? parts[0] : undefined, quoted };
}

/** Bytes are compared, not letters: the collation "C". Storage of short texts is not compressed, of long ones it is. */
function definition(table: string, unlogged: boolean): string[] {
  const { name, schema, quoted } = partsOf(table);
  return [
    `CREATE${unlogged ? " UNLOGGED" : ""} TABLE IF NOT EXISTS ${quoted} (
  id text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  expires_at bigint NOT NULL,
  principal text COLLATE "C",
  fields jsonb NOT NULL
)`,
    ...[
      [`${name}_expires_at`, "(expires_at)"],
      [`${name}_principal`, "(principal, id) WHERE principal IS NOT NULL"],
    ].map(
      // IF NOT EXISTS would lock the table before it looks, and have every commit wait behind a VACUUM.
      ([index, on]) =>
        `IF to_regclass('${[...(schema === undefined ? [] : [`"${schema}"`]), `"${index}"`].join(".")}') IS NULL THEN CREATE INDEX "${index}" ON ${quoted} ${on}; END IF`,
    ),
  ];
}

export function createProvisioning({
  table,
  unlogged,
  send,
}: Provisioning): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { name, quoted } = partsOf(table);
  const indexes = [`${name}_expires_at`, `${name}_principal`];

  return {
    async setup() {
      await exists();
      // One statement for the server, one transaction: IF NOT EXISTS alone fails where two make the same at once.
      const body = definition(table, unlogged).join(";\n");
      const text = `DO $sessions$ BEGIN
PERFORM pg_advisory_xact_lock(hashtextextended('sessions ${table}', 0));
${body};
END $sessions$`;
      await send(text, [], Number.POSITIVE_INFINITY);
    },

    async check() {
      const { rows } = await send(
        `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull::text AS required,
  l.collname AS collation, c.relpersistence AS persistence
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.oid = to_regclass($1)`,
        [quoted],
      );
      if (rows.length === 0) return [`The table ${table} is missing: run setup()`];
      const found = new Map(rows.map((row) => [String(Object(row).name), Object(row)]));
      const problems: string[] = [];
      for (const { name: column, type, collation, nullable } of COLUMNS) {
        const is = found.get(column);
        if (is === undefined)
          problems.push(`The column ${column} of ${table} is missing: see the README for its definition`);
        else if (is.type !== type)
          problems.push(`The column ${column} of ${table} is ${is.type}, and must be ${type}: ALTER it`);
        else if ((is.required === "true") === nullable)
          problems.push(
            `The column ${column} of ${table} must be ${nullable ? "NULL" : "NOT NULL"}: ALTER it`,
          );
        else if (collation !== null && is.collation !== collation)
          problems.push(
            `The column ${column} of ${table} has the collation "${is.collation}", and must have "${collation}": else texts that differ may be equal, or in another order`,
          );
      }
      const persistence = Object(rows[0]).persistence;
      if ((persistence === "u") !== unlogged)
        problems.push(
          `The table ${table} is ${persistence === "u" ? "UNLOGGED: a crash of the server empties it" : "logged"}, and the option unlogged says otherwise: ALTER TABLE ${quoted} SET ${unlogged ? "UNLOGGED" : "LOGGED"}`,
        );
      problems.push(...(await missingIndexes()), ...(await unusable()));
      return problems;
    },

    async teardown() {
      if (await exists()) await send(`DROP TABLE IF EXISTS ${quoted}`, [], Number.POSITIVE_INFINITY);
    },
  };

  /** @throws SessionSetupError where something else has the name. */
  async function exists(): Promise<boolean> {
    const { rows } = await send(
      `SELECT (c.relkind IN ('r', 'p') AND 3 = (SELECT count(*) FROM pg_attribute a
  WHERE a.attrelid = c.oid AND NOT a.attisdropped AND a.attname = ANY ($2::text[])))::text AS own
FROM pg_class c WHERE c.oid = to_regclass($1)`,
      [quoted, DISTINCTIVE],
    );
    if (rows.length > 0 && Object(rows[0]).own !== "true")
      throw new SessionSetupError(
        `postgres: ${table} is not the driver's table, and was left as it is: name another in the option table`,
      );
    return rows.length > 0;
  }

  async function missingIndexes(): Promise<string[]> {
    const { rows } = await send(
      `SELECT pg_get_indexdef(i.indexrelid, 1, true) AS first, i.indisprimary::text AS primary
FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisvalid`,
      [quoted],
    );
    const firsts = rows.map((row) => String(Object(row).first));
    const problems: string[] = [];
    if (!rows.some((row) => Object(row).primary === "true" && Object(row).first === "id"))
      problems.push(`The table ${table} has no primary key on id: two records could have one id`);
    for (const [i, column] of ["expires_at", "principal"].entries())
      if (!firsts.includes(column))
        problems.push(`The index ${indexes[i]} on ${column} is missing: run setup()`);
    return problems;
  }

  /** The server is asked for its word on the user's privileges, and on whether it takes writes at all. */
  async function unusable(): Promise<string[]> {
    const { rows } = await send(
      `SELECT p AS privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
WHERE NOT has_table_privilege(to_regclass($1)::oid, p)`,
      [quoted],
    );
    const problems = rows.map(
      (row) =>
        `The user has no ${Object(row).privilege} on ${table}: GRANT it, or sessions cannot be written`,
    );
    const server: Record<string, unknown> = Object(
      (
        await send(
          `SELECT (pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean)::text AS read_only, current_setting('server_encoding') AS encoding`,
        )
      ).rows[0],
    );
    if (server["read_only"] === "true")
      problems.push("The server is a standby, or its transactions are read only: connect to the primary");
    if (server["encoding"] !== "UTF8")
      problems.push(
        `The database's encoding is ${server["encoding"]}, and must be UTF8: else some texts cannot be kept`,
      );
    return problems;
  }
}
