import { Buffer } from "node:buffer";
import { type ProvisionedDriver, SessionSetupError } from "@sessions/core";
import type { Lease, Run } from "./connection.ts";
import { isDenied, isReadOnly, numberOf } from "./errors.ts";

const COLUMNS = {
  id: "VARBINARY(255) NOT NULL",
  principal: "VARBINARY(255) NULL",
  version: "BIGINT NOT NULL",
  expires_at: "BIGINT NOT NULL",
  fields: "JSON NOT NULL",
} as const;

const INDEXES = {
  by_expiry: { columns: ["expires_at"], needed: "sweep() reads the whole table" },
  by_principal: {
    columns: ["principal", "id"],
    needed: "the sessions of a user are searched in the whole table",
  },
} as const;

/** The smallest `max_allowed_packet` with which every session of 1 MiB fits, in hexadecimal and with JSON's escapes. */
const ROOM = 16 * 1024 * 1024;
const DUPLICATE_KEY_NAME = 1061;
/** With so many of the columns a table is the driver's own, damaged perhaps; with fewer it is another application's. */
const ENOUGH = 4;
const NAMES = Object.keys(COLUMNS);
/** What `information_schema` calls tables that hold rows of their own, and no views or sequences. */
const TABLES = ["BASE TABLE", "SYSTEM VERSIONED"];

const indexDefinition = (name: keyof typeof INDEXES): string =>
  `INDEX ${name} (${INDEXES[name].columns.join(", ")})`;
const indexNames = Object.keys(INDEXES) as (keyof typeof INDEXES)[];

/** What `setup()` runs where there is no table. */
function definition(table: string): string {
  const lines = [
    ...Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`),
    "PRIMARY KEY (id)",
    ...indexNames.map(indexDefinition),
  ];
  return `CREATE TABLE IF NOT EXISTS \`${table}\` (\n  ${lines.join(",\n  ")}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`;
}

/** What has the table's name. */
interface Found {
  readonly kind: string;
  readonly engine: string;
  readonly columns: ReadonlyMap<string, string[]>;
}

interface Backend {
  readonly table: string;
  work<T>(attempt: (lease: Lease) => Promise<T>, within?: number): Promise<T>;
}

/** Makes the table, looks at it, and drops it. */
export function createProvisioning({
  table,
  work,
}: Backend): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const quoted = `\`${table}\``;
  const hex = (name: string): string => `x'${Buffer.from(name).toString("hex")}'`;
  const ofTable = `table_schema = DATABASE() AND table_name = IF(@@lower_case_table_names = 1, ${hex(table.toLowerCase())}, ${hex(table)})`;

  async function ask(run: Run, sql: string): Promise<string[][]> {
    return (await run(sql)).rows.map((row) => row.map((column) => String(column ?? "")));
  }

  async function look(run: Run): Promise<Found | undefined> {
    for (;;) {
      const [first] = await ask(
        run,
        `SELECT table_type, engine FROM information_schema.tables WHERE ${ofTable}`,
      );
      if (first === undefined) return undefined;
      const [kind = "", engine = ""] = first;
      const rows = await ask(
        run,
        `SELECT LOWER(column_name), column_type, is_nullable, collation_name FROM information_schema.columns WHERE ${ofTable}`,
      );
      const columns = new Map(rows.map(([name = "", ...column]) => [name, column]));
      // A table without columns was made, or dropped, between the two.
      if (columns.size > 0 || !TABLES.includes(kind)) return { kind, engine, columns };
    }
  }

  const isForeign = ({ kind, columns }: Found): boolean =>
    !TABLES.includes(kind) || NAMES.filter((name) => columns.has(name)).length < ENOUGH;

  const foreign = `${table} is no table of this driver's, which has the columns ${NAMES.join(", ")}: give the option table another name`;

  /** @throws SessionSetupError where the name is taken by what the driver did not make. */
  function refuseForeign(found: Found): void {
    if (isForeign(found)) throw new SessionSetupError(`mysql: ${foreign}. It was left as it is`);
  }

  /** The columns of each index, by its name. */
  async function indexesOf(run: Run): Promise<Map<string, string[]>> {
    const rows = await ask(
      run,
      `SELECT index_name, column_name FROM information_schema.statistics WHERE ${ofTable} ORDER BY index_name, seq_in_index`,
    );
    const indexes = new Map<string, string[]>();
    for (const [name = "", column = ""] of rows) indexes.set(name, [...(indexes.get(name) ?? []), column]);
    return indexes;
  }

  /** Whether one of them begins with these columns, under whatever name. */
  const has = (indexes: ReadonlyMap<string, string[]>, columns: readonly string[]): boolean =>
    [...indexes.values()].some((index) => columns.every((column, i) => index[i] === column));

  const missingIndexes = (indexes: ReadonlyMap<string, string[]>): (keyof typeof INDEXES)[] =>
    indexNames.filter((name) => !has(indexes, INDEXES[name].columns));

  function checkColumns({ columns }: Found): string[] {
    return Object.entries(COLUMNS).flatMap(([name, wanted]) => {
      const remedy = `make it ${wanted}`;
      const column = columns.get(name);
      if (column === undefined) return [`The column ${name} of ${table} is missing: ${remedy}`];
      const [type = "", nullable, collation = ""] = column;
      // MariaDB says longtext for JSON, MySQL 8 no display width for BIGINT.
      const is = type.toLowerCase().replace(/^bigint\(\d+\)/, "bigint");
      const fits =
        wanted.startsWith("JSON") && is !== "json"
          ? is === "longtext" && collation === "utf8mb4_bin"
          : wanted.toLowerCase().startsWith(`${is} `);
      if (!fits)
        return [
          `The column ${name} of ${table} is ${[type, collation].filter(Boolean).join(" ")}: ${remedy}`,
        ];
      const mayBeNull = nullable === "YES";
      if (mayBeNull === wanted.endsWith("NOT NULL"))
        return [`The column ${name} of ${table} ${mayBeNull ? "takes" : "refuses"} NULL: ${remedy}`];
      return [];
    });
  }

  /** The driver's own kinds of statements, with no row to act on. */
  async function checkPermissions(run: Run): Promise<string[]> {
    const tries = {
      SELECT: `SELECT id FROM ${quoted} LIMIT 0`,
      INSERT: `INSERT INTO ${quoted} (id, version, expires_at, fields) SELECT x'', 1, 0, '{}' FROM DUAL WHERE 1 = 0`,
      UPDATE: `UPDATE ${quoted} SET version = 1 WHERE id = x''`,
      DELETE: `DELETE FROM ${quoted} WHERE id = x''`,
    };
    const found: string[] = [];
    for (const [permission, sql] of Object.entries(tries)) {
      try {
        await run(sql);
      } catch (error) {
        if (isReadOnly(error))
          return [...found, "The server is read-only: connect to the one that takes writes"];
        if (!isDenied(error)) throw error;
        found.push(`The user has no permission: GRANT ${permission} ON ${table} to it`);
      }
    }
    return found;
  }

  async function checkServer(run: Run): Promise<string[]> {
    const rows = await ask(
      run,
      "SHOW VARIABLES WHERE Variable_name IN ('autocommit', 'max_allowed_packet', 'transaction_isolation', 'tx_isolation')",
    );
    const value = new Map(rows.map(([name = "", text = ""]) => [name, text]));
    const isolation = value.get("transaction_isolation") ?? value.get("tx_isolation");
    return [
      ...(value.get("autocommit") === "OFF"
        ? ["autocommit is off, so that nothing would be kept: set it to 1 for the sessions' connections"]
        : []),
      ...(isolation === "READ-UNCOMMITTED"
        ? [
            "The isolation level is READ-UNCOMMITTED, which shows what was never committed: set READ-COMMITTED or higher",
          ]
        : []),
      ...(Number(value.get("max_allowed_packet")) < ROOM
        ? [`max_allowed_packet is ${value.get("max_allowed_packet")}: sessions of 1 MiB need ${ROOM}`]
        : []),
    ];
  }

  return {
    async setup() {
      // Looked at first, within the driver's timeout: where all is there, no lock is taken, and no permission is needed.
      const missing = await work(async ({ run }) => {
        const found = await look(run);
        if (found === undefined) return undefined;
        refuseForeign(found);
        if (NAMES.some((name) => !found.columns.has(name)))
          throw new SessionSetupError(
            `mysql: the table "${table}" lacks a column: check() names it, and the README has its definition`,
          );
        return missingIndexes(await indexesOf(run));
      });
      if (missing?.length === 0) return;
      // As long as it takes: an index on a large table is not made in seconds.
      const make = work(async ({ run }) => {
        if (missing === undefined) await run(definition(table));
        for (const name of missing ?? []) {
          try {
            await run(`ALTER TABLE ${quoted} ADD ${indexDefinition(name)}`);
          } catch (error) {
            // Another process was faster.
            if (numberOf(error) !== DUPLICATE_KEY_NAME) throw error;
          }
        }
      }, Number.POSITIVE_INFINITY);
      await make.catch((error: unknown) => {
        if (!(error instanceof Error) || !isDenied(error.cause)) throw error;
        throw new SessionSetupError(
          `mysql: the user may not make "${table}" or its indexes: GRANT CREATE, ALTER and INDEX to it, or run the README's definition`,
          { cause: error },
        );
      });
    },

    check: () =>
      work(async ({ run }) => {
        const found = await look(run);
        const server = await checkServer(run);
        if (found === undefined) return [`The table ${table} is missing: run setup()`, ...server];
        if (isForeign(found)) return [foreign];
        const { engine } = found;
        const indexes = await indexesOf(run);
        const columns = checkColumns(found);
        return [
          ...(engine === "InnoDB"
            ? []
            : [`The engine of ${table} is ${engine}: ALTER TABLE ${table} ENGINE=InnoDB`]),
          ...columns,
          ...(indexes.get("PRIMARY")?.join() === "id"
            ? []
            : [`The primary key of ${table} is not (id): make it so, or one id may have two records`]),
          ...missingIndexes(indexes).map(
            (name) =>
              `The index on (${INDEXES[name].columns.join(", ")}) of ${table} is missing, and ${INDEXES[name].needed}: run setup()`,
          ),
          // Its statements need the columns.
          ...(columns.length > 0 ? [] : await checkPermissions(run)),
          ...server,
        ];
      }),

    async teardown() {
      const isThere = await work(async ({ run }) => {
        const found = await look(run);
        if (found !== undefined) refuseForeign(found);
        return found !== undefined;
      });
      if (isThere) await work(({ run }) => run(`DROP TABLE IF EXISTS ${quoted}`), Number.POSITIVE_INFINITY);
    },
  };
}
