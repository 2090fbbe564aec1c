import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { PgResult } from "./client.ts";
import { isDenied } from "./errors.ts";

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

/** With so many of the columns a table is the driver's own, damaged perhaps; with fewer it is another application's. */
const ENOUGH = 4;

/** What has the table's name. */
interface Found {
  /** Whether it is an ordinary or a partitioned table, and no view, index, sequence or foreign table. */
  readonly isTable: boolean;
  readonly isUnlogged: boolean;
  readonly columns: ReadonlyMap<string, Record<string, unknown>>;
}

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
      // Looked at first, within the driver's timeout: where all is there, no lock is taken, and no permission is needed.
      const found = await look();
      if (found !== undefined) {
        refuseForeign(found);
        if (COLUMNS.some((column) => !found.columns.has(column.name)))
          throw new SessionSetupError(
            `postgres: the table ${table} lacks a column: check() names it, and the README has its definition`,
          );
        if ((await lookAtIndexes()).missing.length === 0) return;
      }
      // One statement for the server, one transaction: IF NOT EXISTS alone fails where two make the same at once.
      const body = definition(table, unlogged).join(";\n");
      const text = `DO $sessions$ BEGIN
PERFORM pg_advisory_xact_lock(hashtextextended('sessions ${table}', 0));
${body};
END $sessions$`;
      try {
        await send(text, [], Number.POSITIVE_INFINITY);
      } catch (error) {
        if (!isDenied(error)) throw error;
        throw new SessionSetupError(
          `postgres: the user may not make ${table} or its indexes: run setup() as the schema's owner, or the README's definition`,
          { cause: error },
        );
      }
    },

    async check() {
      const found = await look();
      if (found === undefined) return [`The table ${table} is missing: run setup()`];
      if (isForeign(found)) return [foreign()];
      const problems: string[] = [];
      for (const { name: column, type, collation, nullable } of COLUMNS) {
        const is = found.columns.get(column);
        if (is === undefined)
          problems.push(`The column ${column} of ${table} is missing: see the README for its definition`);
        else if (is["type"] !== type)
          problems.push(`The column ${column} of ${table} is ${is["type"]}, and must be ${type}: ALTER it`);
        else if ((is["required"] === "true") === nullable)
          problems.push(
            `The column ${column} of ${table} must be ${nullable ? "NULL" : "NOT NULL"}: ALTER it`,
          );
        else if (collation !== null && is["collation"] !== collation)
          problems.push(
            `The column ${column} of ${table} has the collation "${is["collation"]}", and must have "${collation}": else texts that differ may be equal, or in another order`,
          );
      }
      if (found.isUnlogged !== unlogged)
        problems.push(
          `The table ${table} is ${found.isUnlogged ? "UNLOGGED: a crash of the server empties it" : "logged"}, and the option unlogged says otherwise: ALTER TABLE ${quoted} SET ${unlogged ? "UNLOGGED" : "LOGGED"}`,
        );
      const { hasPrimaryKey, missing } = await lookAtIndexes();
      if (!hasPrimaryKey)
        problems.push(`The table ${table} has no primary key on id: two records could have one id`);
      for (const [index, column] of missing)
        problems.push(`The index ${index} on ${column} is missing: run setup()`);
      problems.push(...(await unusable()));
      return problems;
    },

    async teardown() {
      const found = await look();
      if (found === undefined) return;
      refuseForeign(found);
      await send(`DROP TABLE IF EXISTS ${quoted}`, [], Number.POSITIVE_INFINITY);
    },
  };

  async function look(): Promise<Found | undefined> {
    const { rows } = await send(
      `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull::text AS required,
  l.collname::text AS collation, c.relpersistence::text AS persistence, c.relkind::text AS kind
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.oid = to_regclass($1)`,
      [quoted],
    );
    const columns = rows.map((row): Record<string, unknown> => Object(row));
    const [first] = columns;
    if (first === undefined) return undefined;
    return {
      isTable: first["kind"] === "r" || first["kind"] === "p",
      isUnlogged: first["persistence"] === "u",
      columns: new Map(columns.map((column) => [String(column["name"]), column])),
    };
  }

  function isForeign({ isTable, columns }: Found): boolean {
    return !isTable || COLUMNS.filter((column) => columns.has(column.name)).length < ENOUGH;
  }

  function foreign(): string {
    return `${table} is no table of this driver's, which has the columns ${COLUMNS.map((column) => column.name).join(", ")}: give the option table another name`;
  }

  /** @throws SessionSetupError where the name is taken by what the driver did not make. */
  function refuseForeign(found: Found): void {
    if (isForeign(found)) throw new SessionSetupError(`postgres: ${foreign()}. It was left as it is`);
  }

  /** `missing` has the name of each index, and its first column. */
  async function lookAtIndexes(): Promise<{ hasPrimaryKey: boolean; missing: [string, string][] }> {
    const { rows } = await send(
      // From the catalogs alone: pg_get_indexdef() would lock the table.
      `SELECT a.attname::text AS first, i.indisprimary::text AS primary
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass($1) AND i.indisvalid`,
      [quoted],
    );
    const firsts = rows.map((row) => String(Object(row).first));
    return {
      hasPrimaryKey: rows.some((row) => Object(row).primary === "true" && Object(row).first === "id"),
      missing: ["expires_at", "principal"].flatMap((column, i) =>
        firsts.includes(column) ? [] : [[indexes[i] ?? "", column]],
      ),
    };
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
