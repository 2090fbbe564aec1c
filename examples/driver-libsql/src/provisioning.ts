import type { ProvisionedDriver } from "@sessions/core";
import {
  type FoundTable,
  inspectTable,
  refuseForeign,
  refuseIncomplete,
  type SqlTable,
  type WantedTable,
} from "@sessions/core/driver-tools";
import type { Run } from "./index.ts";

/** An index over many records takes its time. */
const UNLIMITED = { timeout: Number.POSITIVE_INFINITY, changes: true };

/** Makes, checks and removes the table and its indexes. */
export function createProvisioning(
  table: SqlTable,
  run: Run,
): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const wanted: WantedTable = {
    driver: "libsql",
    table: table.option,
    columns: {
      id: "text NOT NULL",
      version: "integer NOT NULL",
      expires_at: "integer NOT NULL",
      principal: "text",
      fields: "text NOT NULL",
    },
    primaryKey: ["id"],
    indexes: {
      [`${table.name}_expires_at`]: { columns: ["expires_at"], without: "sweep() reads the whole table" },
      [`${table.name}_principal`]: {
        columns: ["principal", "id"],
        without: "the sessions of a user are searched in the whole table",
        mayBePartial: true,
      },
    },
  };
  const make = [
    `CREATE TABLE IF NOT EXISTS ${table.quoted} (${Object.entries(wanted.columns)
      .map(([name, definition]) => `${name} ${definition}`)
      .join(", ")}, PRIMARY KEY (id))`,
    `CREATE INDEX IF NOT EXISTS "${table.name}_expires_at" ON ${table.quoted} (expires_at)`,
    `CREATE INDEX IF NOT EXISTS "${table.name}_principal" ON ${table.quoted} (principal, id) WHERE principal IS NOT NULL`,
  ];

  async function look(): Promise<FoundTable | undefined> {
    const args = [table.name];
    const results = await run([
      // Names of tables do not differ by case.
      { sql: "SELECT type FROM sqlite_schema WHERE name = ? COLLATE NOCASE", args },
      { sql: 'SELECT name, type, "notnull", pk FROM pragma_table_info(?)', args },
      {
        sql: `SELECT i.name AS name, i.partial AS partial, c.name AS col
          FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c ORDER BY i.name, c.seqno`,
        args,
      },
    ]);
    const [objects = [], columns = [], indexed = []] = results.map(({ rows }) => rows);
    const [object] = objects;
    if (!object) return undefined;
    const indexes = new Map<string, { columns: string[]; isPartial: boolean }>();
    for (const { name, partial, col } of indexed) {
      const index = indexes.get(String(name)) ?? { columns: [], isPartial: partial === 1 };
      index.columns.push(String(col));
      indexes.set(String(name), index);
    }
    return {
      isTable: object["type"] === "table",
      columns: new Map(
        columns.map(({ name, type, notnull }) => [
          String(name),
          { type: String(type).toLowerCase(), isNullable: notnull === 0 },
        ]),
      ),
      primaryKey: columns.filter(({ pk }) => pk !== 0).map(({ name }) => String(name)),
      indexes: [...indexes.values()],
    };
  }

  return {
    async setup() {
      const inspection = inspectTable(wanted, await look());
      refuseForeign(wanted, inspection);
      refuseIncomplete(wanted, inspection);
      if (inspection.state === "complete" && inspection.missingIndexes.length === 0) return;
      await run(make, UNLIMITED);
    },

    async check() {
      return [...inspectTable(wanted, await look()).problems];
    },

    async teardown() {
      const inspection = inspectTable(wanted, await look());
      refuseForeign(wanted, inspection);
      await run([`DROP TABLE IF EXISTS ${table.quoted}`], UNLIMITED);
    },
  };
}
