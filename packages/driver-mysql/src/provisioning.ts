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

/** A table with all of these is the driver's, whatever else it lacks. */
const DISTINCTIVE = ["id", "version", "expires_at"];

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

  const engineOf = async (run: Run): Promise<string | undefined> =>
    (await ask(run, `SELECT engine FROM information_schema.tables WHERE ${ofTable}`))[0]?.[0];

  /** @throws SessionSetupError where something else has the name. */
  async function exists(): Promise<boolean> {
    const look = (): Promise<string[][][]> =>
      work(async ({ run }) => [
        await ask(run, `SELECT table_type FROM information_schema.tables WHERE ${ofTable}`),
        await ask(run, `SELECT LOWER(column_name) FROM information_schema.columns WHERE ${ofTable}`),
      ]);
    let [types, names] = await look();
    // A table without columns was made, or dropped, between the two.
    while (types?.length !== 0 && names?.length === 0) [types, names] = await look();
    const type = types?.[0]?.[0];
    const isTable = type !== "VIEW" && type !== "SEQUENCE";
    if (
      type !== undefined &&
      !(isTable && DISTINCTIVE.every((column) => names?.some(([name]) => name === column)))
    )
      throw new SessionSetupError(
        `mysql: ${table} is not the driver's table, and was left as it is: name another in the option table`,
      );
    return type !== undefined;
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

  async function checkColumns(run: Run): Promise<string[]> {
    const found = new Map(
      (
        await ask(
          run,
          `SELECT column_name, column_type, is_nullable, collation_name FROM information_schema.columns WHERE ${ofTable}`,
        )
      ).map(([name = "", ...column]) => [name, column]),
    );
    return Object.entries(COLUMNS).flatMap(([name, wanted]) => {
      const remedy = `make it ${wanted}`;
      const column = found.get(name);
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
      // Asked first: a user that may only use the table can still call this.
      const isMade = await exists();
      // As long as it takes: an index on a large table is not made in seconds.
      await work(async ({ run }) => {
        if (!isMade) await run(definition(table));
        const indexes = await indexesOf(run);
        for (const name of indexNames.filter((index) => !has(indexes, INDEXES[index].columns))) {
          try {
            await run(`ALTER TABLE ${quoted} ADD ${indexDefinition(name)}`);
          } catch (error) {
            // Another process was faster.
            if (numberOf(error) !== DUPLICATE_KEY_NAME) throw error;
          }
        }
      }, Number.POSITIVE_INFINITY);
    },

    check: () =>
      work(async ({ run }) => {
        const engine = await engineOf(run);
        const server = await checkServer(run);
        if (engine === undefined) return [`The table ${table} is missing: run setup()`, ...server];
        const indexes = await indexesOf(run);
        const columns = await checkColumns(run);
        return [
          ...(engine === "InnoDB"
            ? []
            : [`The engine of ${table} is ${engine}: ALTER TABLE ${table} ENGINE=InnoDB`]),
          ...columns,
          ...(indexes.get("PRIMARY")?.join() === "id"
            ? []
            : [`The primary key of ${table} is not (id): make it so, or one id may have two records`]),
          ...indexNames
            .filter((name) => !has(indexes, INDEXES[name].columns))
            .map(
              (name) =>
                `The index on (${INDEXES[name].columns.join(", ")}) of ${table} is missing, and ${INDEXES[name].needed}: run setup()`,
            ),
          // Its statements need the columns.
          ...(columns.length > 0 ? [] : await checkPermissions(run)),
          ...server,
        ];
      }),

    async teardown() {
      if (await exists())
        await work(({ run }) => run(`DROP TABLE IF EXISTS ${quoted}`), Number.POSITIVE_INFINITY);
    },
  };
}
