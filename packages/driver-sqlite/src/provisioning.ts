import { isSessionError, type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Work } from "./connection.ts";
import { codeOf } from "./errors.ts";
import { primaryKeyOf } from "./statements.ts";

const COLUMNS = {
  id: "TEXT NOT NULL",
  principal: "TEXT",
  version: "INTEGER NOT NULL",
  expires_at: "INTEGER NOT NULL",
  fields: "TEXT NOT NULL",
} as const;

const NAMES = Object.keys(COLUMNS);
/** With so many of the columns a table is the driver's own, damaged perhaps; with fewer it is another application's. */
const ENOUGH = 4;

/** What `setup()` runs, one statement after the other. */
const definition = (table: string): string[] => [
  `CREATE TABLE IF NOT EXISTS "${table}" (
  id         TEXT NOT NULL PRIMARY KEY,
  principal  TEXT,
  version    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  fields     TEXT NOT NULL
) STRICT`,
  `CREATE INDEX IF NOT EXISTS "${table}_by_expiry" ON "${table}" (expires_at)`,
  `CREATE INDEX IF NOT EXISTS "${table}_by_principal" ON "${table}" (principal, id) WHERE principal IS NOT NULL`,
];

/** What has the table's name. */
interface Found {
  /** Whether it is a table that holds rows, and no view or virtual table. */
  readonly isTable: boolean;
  readonly columns: ReadonlyMap<string, { type: string; isNullable: boolean }>;
  readonly indexes: ReadonlyMap<string, { columns: string[]; isPartial: boolean }>;
}

/** Makes the table, looks at it, and drops it. */
export function createProvisioning({
  table,
  work,
}: {
  table: string;
  work: <T>(body: Work<T>) => T | Promise<T>;
}): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const quoted = `"${table}"`;

  const ask = async (sql: string, ...values: string[]): Promise<unknown[][]> =>
    work(({ all }) => all({ sql, values }));

  /** In the handle's main database: another that is attached may have the same name. */
  async function look(): Promise<Found | undefined> {
    const columns = await ask(
      `SELECT info.name, info.type, info."notnull", list.type AS kind
       FROM pragma_table_list AS list LEFT JOIN pragma_table_xinfo(list.name, 'main') AS info
       WHERE list.schema = 'main' AND list.name = ? COLLATE NOCASE`,
      table,
    );
    const [first] = columns;
    if (first === undefined) return undefined;
    // A column that goes by another collation does not serve.
    const parts = await ask(
      `SELECT list.name AS "index", list.partial, iif(info.coll = 'BINARY', info.name, '') AS "column"
       FROM pragma_index_list(?, 'main') AS list JOIN pragma_index_xinfo(list.name, 'main') AS info
       WHERE info.key ORDER BY list.seq, info.seqno`,
      table,
    );
    const indexes = new Map<string, { columns: string[]; isPartial: boolean }>();
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
      indexes,
    };
  }

  const isForeign = ({ isTable, columns }: Found): boolean =>
    !isTable || NAMES.filter((name) => columns.has(name)).length < ENOUGH;

  const foreign = `${table} is no table of this driver's, which has the columns ${NAMES.join(", ")}: give the option table another name`;

  /** @throws SessionSetupError where the name is taken by what the driver did not make. */
  function refuseForeign(found: Found): void {
    if (isForeign(found)) throw new SessionSetupError(`sqlite: ${foreign}. It was left as it is`);
  }

  function checkColumns({ columns }: Found): string[] {
    return Object.entries(COLUMNS).flatMap(([name, wanted]) => {
      const column = columns.get(name);
      const remedy = `make it ${wanted}`;
      if (column === undefined) return [`The column ${name} of ${table} is missing: ${remedy}`];
      const { type, isNullable } = column;
      if (type.toUpperCase() !== wanted.split(" ")[0])
        return [`The column ${name} of ${table} is ${type || "without a type"}: ${remedy}`];
      if (isNullable !== !wanted.endsWith("NOT NULL"))
        return [`The column ${name} of ${table} ${isNullable ? "takes" : "refuses"} NULL: ${remedy}`];
      return [];
    });
  }

  /** By what the columns do, whatever words made them. */
  async function checkCollations({ columns }: Found): Promise<string[]> {
    const found: string[] = [];
    for (const name of ["id", "principal"].filter((column) => columns.has(column))) {
      const sql = `SELECT ${name} = 'A' OR ${name} = 'a ' FROM (SELECT ${name} FROM ${quoted} WHERE 0 UNION ALL SELECT 'a')`;
      if (Number((await ask(sql))[0]?.[0]) !== 0)
        found.push(`The column ${name} of ${table} is not compared byte by byte: make it COLLATE BINARY`);
    }
    return found;
  }

  function checkIndexes({ indexes }: Found): string[] {
    const has = (wanted: string[], mayBePartial: boolean): boolean =>
      [...indexes.values()].some(
        ({ columns, isPartial }) =>
          (mayBePartial || !isPartial) && wanted.every((column, i) => columns[i] === column),
      );
    return [
      ...(indexes.get(primaryKeyOf(table))?.columns.join() === "id"
        ? []
        : [`${table} must have id, and nothing else, as its PRIMARY KEY: make it anew`]),
      ...(has(["expires_at"], false)
        ? []
        : [`${table} has no index on expires_at, so sweep() reads all of it: run setup()`]),
      ...(has(["principal", "id"], true)
        ? []
        : [
            `${table} has no index on principal and id, so a user's sessions are searched in all: run setup()`,
          ]),
    ];
  }

  async function checkWriting(): Promise<string[]> {
    try {
      await work(({ run }) => run({ sql: `DELETE FROM ${quoted} WHERE 0`, values: [] }));
      return [];
    } catch (error) {
      // An outage is no finding.
      if (!isReadOnly(error)) throw error;
      return [
        "The database is read-only: open it for writing, with a user that may write its file and folder",
      ];
    }
  }

  async function checkDatabase(): Promise<string[]> {
    const mode = (await ask("PRAGMA journal_mode"))[0]?.[0];
    const encoding = (await ask("PRAGMA encoding"))[0]?.[0];
    return [
      // A database in memory has no other connection.
      ...(mode === "wal" || mode === "memory"
        ? []
        : [`The journal mode is ${mode}, in which readers and writers stop each other: run setup()`]),
      ...(encoding === "UTF-8"
        ? []
        : [`The database's encoding is ${encoding}, which loses characters: make a new one in UTF-8`]),
    ];
  }

  return {
    async setup() {
      const found = await look();
      if (found !== undefined) {
        refuseForeign(found);
        if (NAMES.some((name) => !found.columns.has(name)))
          throw new SessionSetupError(
            `sqlite: the table "${table}" lacks a column: check() names it, and the README has its definition`,
          );
      }
      try {
        await work(({ exec }) => exec("PRAGMA journal_mode = WAL"));
        for (const sql of definition(table)) await work(({ run }) => run({ sql, values: [] }));
      } catch (error) {
        if (!isReadOnly(error)) throw error;
        throw new SessionSetupError(
          `sqlite: the table "${table}" cannot be made, for the database is read-only: open it for writing, with a user that may write its file and folder`,
          { cause: error },
        );
      }
    },

    async check() {
      const found = await look();
      if (found === undefined) return [`The table ${table} is missing: run setup()`];
      if (isForeign(found)) return [foreign];
      return [
        ...checkColumns(found),
        ...(await checkCollations(found)),
        ...checkIndexes(found),
        ...(await checkWriting()),
        ...(await checkDatabase()),
      ];
    },

    async teardown() {
      const found = await look();
      if (found === undefined) return;
      refuseForeign(found);
      await work(({ run }) => run({ sql: `DROP TABLE IF EXISTS main.${quoted}`, values: [] }));
    },
  };
}

/** Whether the driver's error comes of a database that may only be read. */
const isReadOnly = (error: unknown): boolean =>
  isSessionError(error) && codeOf(error.cause) === "SQLITE_READONLY";
