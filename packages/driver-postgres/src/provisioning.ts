import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import {
  type FoundTable,
  inspectTable,
  missingPermissions,
  refuseForeign,
  refuseIncomplete,
  type SqlTable,
  type WantedTable,
} from "@sessions/core/driver-tools";
import { isDenied } from "./errors.ts";
import type { PostgresResult } from "./executor.ts";
import { valuesOf } from "./statements.ts";

export interface Provisioning {
  readonly table: SqlTable;
  readonly unlogged: boolean;
  send(text: string, values?: string[], timeout?: number): Promise<PostgresResult>;
}

/** The collation "C" compares bytes, as R14 wants. */
const COLUMNS = {
  id: 'text COLLATE "C" NOT NULL',
  version: "bigint NOT NULL",
  expires_at: "bigint NOT NULL",
  principal: 'text COLLATE "C"',
  fields: "jsonb NOT NULL",
} as const;

/** The object that has the table's name. */
interface Found extends FoundTable {
  readonly isUnlogged: boolean;
}

/** The statements that `setup()` runs if something is missing. */
function definition({ name, schema, quoted }: SqlTable, unlogged: boolean): string[] {
  const columns = Object.entries(COLUMNS).map(([column, is]) => `${column} ${is}`);
  return [
    `CREATE${unlogged ? " UNLOGGED" : ""} TABLE IF NOT EXISTS ${quoted} (
  ${[...columns, "PRIMARY KEY (id)"].join(",\n  ")}
)`,
    ...[
      [`${name}_expires_at`, "(expires_at)"],
      [`${name}_principal`, "(principal, id) WHERE principal IS NOT NULL"],
    ].map(
      // CREATE INDEX IF NOT EXISTS would lock the table before it looks, so commits would wait behind a VACUUM.
      ([index, on]) =>
        `IF to_regclass('${schema === undefined ? "" : `"${schema}".`}"${index}"') IS NULL THEN CREATE INDEX "${index}" ON ${quoted} ${on}; END IF`,
    ),
  ];
}

export function createProvisioning({
  table,
  unlogged,
  send,
}: Provisioning): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { option, name, quoted } = table;
  const wanted: WantedTable = {
    driver: "postgres",
    table: option,
    columns: COLUMNS,
    primaryKey: ["id"],
    indexes: {
      [`${name}_expires_at`]: { columns: ["expires_at"], without: "sweep() reads the whole table" },
      [`${name}_principal`]: {
        columns: ["principal"],
        without: "the sessions of a user are searched in the whole table",
      },
    },
  };

  return {
    async setup() {
      // Look first, within the driver's timeout: if nothing is missing, setup() takes no lock and needs no permission.
      const inspection = inspectTable(wanted, await look());
      refuseIncomplete(wanted, inspection);
      if (inspection.missingIndexes.length === 0) return;
      // One transaction under an advisory lock: IF NOT EXISTS fails if two processes make the same object at once.
      const body = definition(table, unlogged).join(";\n");
      const text = `DO $sessions$ BEGIN
PERFORM pg_advisory_xact_lock(hashtextextended('sessions ${option}', 0));
${body};
END $sessions$`;
      try {
        await send(text, [], Number.POSITIVE_INFINITY);
      } catch (error) {
        if (!isDenied(error)) throw error;
        throw new SessionSetupError(
          `postgres: the user may not make "${option}" or its indexes. Run sessions.setup() as the schema's owner, or the definition in the README.`,
          { cause: error },
        );
      }
    },

    async check() {
      const found = await look();
      const { state, problems } = inspectTable(wanted, found);
      if (found === undefined || state === "foreign") return [...problems];
      const { isUnlogged } = found;
      return [
        ...problems,
        ...(isUnlogged === unlogged
          ? []
          : [
              `The table ${option} is ${isUnlogged ? "UNLOGGED (a crash of the server empties it)" : "logged"}, but the option unlogged is ${unlogged}: ALTER TABLE ${quoted} SET ${unlogged ? "UNLOGGED" : "LOGGED"}`,
            ]),
        ...missingPermissions(option, await denied()),
        ...(await checkServer()),
      ];
    },

    async teardown() {
      const inspection = inspectTable(wanted, await look());
      refuseForeign(wanted, inspection);
      if (inspection.state !== "missing")
        await send(`DROP TABLE IF EXISTS ${quoted}`, [], Number.POSITIVE_INFINITY);
    },
  };

  async function look(): Promise<Found | undefined> {
    const { rows } = await send(
      `SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull::text AS required,
  l.collname::text AS collation, c.relpersistence::text AS persistence, c.relkind::text AS kind
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.oid = to_regclass($1::text)`,
      [quoted],
    );
    const columns = rows.map((row) =>
      valuesOf(row, ["name", "type", "required", "collation", "persistence", "kind"]),
    );
    const [first] = columns;
    if (first === undefined) return undefined;
    const indexes = await lookAtIndexes();
    return {
      isTable: first.kind === "r" || first.kind === "p",
      isUnlogged: first.persistence === "u",
      columns: new Map(
        columns.map((column) => [
          String(column.name),
          {
            type: String(column.type),
            isNullable: column.required !== "true",
            collation: String(column.collation),
          },
        ]),
      ),
      primaryKey: indexes.filter(({ primary }) => primary === "true").map(({ first: column }) => `${column}`),
      indexes: indexes.map(({ first: column }) => ({ columns: [String(column)] })),
    };
  }

  /** The first column of each index. */
  async function lookAtIndexes(): Promise<{ first?: unknown; primary?: unknown }[]> {
    const { rows } = await send(
      // Read the catalogs only: pg_get_indexdef() would lock the table.
      `SELECT a.attname::text AS first, i.indisprimary::text AS primary
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass($1::text) AND i.indisvalid`,
      [quoted],
    );
    return rows.map((row) => valuesOf(row, ["first", "primary"]));
  }

  async function denied(): Promise<string[]> {
    const { rows } = await send(
      `SELECT p AS privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
WHERE NOT has_table_privilege(to_regclass($1::text)::oid, p)`,
      [quoted],
    );
    return rows.map((row) => String(valuesOf(row, ["privilege"]).privilege));
  }

  async function checkServer(): Promise<string[]> {
    const { rows } = await send(
      `SELECT (pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean)::text AS readonly, current_setting('server_encoding') AS encoding`,
    );
    const { readonly, encoding } = valuesOf(rows[0], ["readonly", "encoding"]);
    return [
      ...(readonly === "true"
        ? ["The server is a standby, or its transactions are read-only: connect to the primary"]
        : []),
      ...(encoding === "UTF8"
        ? []
        : [`The database's encoding is ${encoding}, which cannot hold every text: make a database in UTF8`]),
    ];
  }
}
