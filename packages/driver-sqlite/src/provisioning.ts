import { isSessionError, type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import {
  type FoundIndex,
  type FoundTable,
  inspectTable,
  refuseForeign,
  refuseIncomplete,
  type WantedTable,
} from "@sessions/core/driver-tools";
import type { Calls } from "./calls.ts";
import { codeOf } from "./errors.ts";
import { primaryKeyOf, quotedName } from "./statements.ts";

const COLUMNS = {
  id: "TEXT NOT NULL",
  principal: "TEXT",
  version: "INTEGER NOT NULL",
  expires_at: "INTEGER NOT NULL",
  fields: "TEXT NOT NULL",
} as const;

/** The statements that `setup()` runs, in this order. */
const definition = (table: string): string[] => [
  `CREATE TABLE IF NOT EXISTS ${quotedName(table)} (
  id         TEXT NOT NULL PRIMARY KEY,
  principal  TEXT,
  version    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  fields     TEXT NOT NULL
) STRICT`,
  `CREATE INDEX IF NOT EXISTS main."${table}_by_expiry" ON "${table}" (expires_at)`,
  `CREATE INDEX IF NOT EXISTS main."${table}_by_principal" ON "${table}" (principal, id) WHERE principal IS NOT NULL`,
];

/** The driver's methods that make, check and drop the table. */
export function createProvisioning({
  table,
  isFile,
  read,
  write,
}: Calls & { readonly table: string; readonly isFile: boolean }): Pick<
  ProvisionedDriver,
  "setup" | "check" | "teardown"
> {
  const quoted = quotedName(table);
  const wanted: WantedTable = {
    driver: "sqlite",
    table,
    columns: COLUMNS,
    primaryKey: ["id"],
    indexes: {
      [`${table}_by_expiry`]: { columns: ["expires_at"], without: "sweep() reads the whole table" },
      [`${table}_by_principal`]: {
        columns: ["principal", "id"],
        without: "the sessions of a user are searched in the whole table",
        mayBePartial: true,
      },
    },
  };

  const ask = async (sql: string, ...values: string[]): Promise<unknown[][]> => read({ sql, values });
  /** On a server, an index over many records takes its time. A file's owner waits for nothing but locks. */
  const execute = async (sql: string): Promise<unknown> =>
    write({ sql, values: [] }, isFile ? undefined : Number.POSITIVE_INFINITY);

  /** Looks in the handle's main database only: an attached one may have a table of the same name. */
  async function look(): Promise<FoundTable | undefined> {
    const columns = await ask(
      `SELECT info.name, info.type, info."notnull", list.type AS kind
       FROM pragma_table_list AS list LEFT JOIN pragma_table_xinfo(list.name, 'main') AS info
       WHERE list.schema = 'main' AND list.name = ? COLLATE NOCASE`,
      table,
    );
    const [first] = columns;
    if (first === undefined) return undefined;
    // The name is left empty where an index uses another collation, because such an index does not serve.
    const parts = await ask(
      `SELECT list.name AS "index", list.partial, iif(info.coll = 'BINARY', info.name, '') AS "column"
       FROM pragma_index_list(?, 'main') AS list JOIN pragma_index_xinfo(list.name, 'main') AS info
       WHERE info.key ORDER BY list.seq, info.seqno`,
      table,
    );
    const indexes = new Map<string, FoundIndex & { columns: string[] }>();
    for (const [name, partial, column] of parts) {
      const index = indexes.get(`${name}`) ?? { columns: [], isPartial: Number(partial) === 1 };
      index.columns.push(`${column}`);
      indexes.set(`${name}`, index);
    }
    return {
      isTable: first[3] === "table",
      columns: new Map(
        columns.map(([name, type, notNull]) => [
          `${name}`,
          { type: `${type}`, isNullable: Number(notNull) === 0 },
        ]),
      ),
      // Look for it by the name of its index, because sweep() uses that name.
      primaryKey: indexes.get(primaryKeyOf(table))?.columns ?? [],
      indexes: [...indexes.values()],
    };
  }

  /** Tries how the columns compare, whatever their definition says. */
  async function checkCollations({ columns }: FoundTable): Promise<string[]> {
    const found: string[] = [];
    for (const name of ["id", "principal"].filter((column) => columns.has(column))) {
      const sql = `SELECT ${name} = 'A' OR ${name} = 'a ' FROM (SELECT ${name} FROM ${quoted} WHERE 0 UNION ALL SELECT 'a')`;
      if (Number((await ask(sql))[0]?.[0]) !== 0)
        found.push(`The column ${name} of ${table} is not compared byte by byte: make it COLLATE BINARY`);
    }
    return found;
  }

  async function checkWriting(): Promise<string[]> {
    try {
      await write({ sql: `DELETE FROM ${quoted} WHERE 0`, values: [] });
      return [];
    } catch (error) {
      // An outage is an error of check() itself, not a problem that it reports.
      if (!isReadOnly(error)) throw error;
      return [
        "The database is read-only: open it for writing, as a user with write access to its file and folder",
      ];
    }
  }

  async function checkFile(): Promise<string[]> {
    const mode = (await ask("PRAGMA journal_mode"))[0]?.[0];
    const encoding = (await ask("PRAGMA encoding"))[0]?.[0];
    return [
      // A database in memory has only this connection.
      ...(mode === "wal" || mode === "memory"
        ? []
        : [`The journal mode is ${mode}, in which readers and writers block each other: run setup()`]),
      ...(encoding === "UTF-8"
        ? []
        : [`The database's encoding is ${encoding}, which loses characters: make a new one in UTF-8`]),
    ];
  }

  return {
    async setup() {
      refuseIncomplete(wanted, inspectTable(wanted, await look()));
      try {
        if (isFile) await ask("PRAGMA journal_mode = WAL");
        for (const sql of definition(table)) await execute(sql);
      } catch (error) {
        if (!isReadOnly(error)) throw error;
        throw new SessionSetupError(
          `sqlite: table "${table}" cannot be made, because the database is read-only. Open it for writing, as a user with write access to its file and folder.`,
          { cause: error },
        );
      }
    },

    async check() {
      const found = await look();
      const { state, problems } = inspectTable(wanted, found);
      if (found === undefined || state === "foreign") return [...problems];
      return [
        ...(await checkCollations(found)),
        ...problems,
        ...(await checkWriting()),
        ...(isFile ? await checkFile() : []),
      ];
    },

    async teardown() {
      const inspection = inspectTable(wanted, await look());
      refuseForeign(wanted, inspection);
      if (inspection.state !== "missing") await execute(`DROP TABLE IF EXISTS ${quoted}`);
    },
  };
}

/** Whether the database refused a write because it is read-only. */
const isReadOnly = (error: unknown): boolean =>
  isSessionError(error) && codeOf(error.cause) === "SQLITE_READONLY";
