import { Buffer } from "node:buffer";
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
import type { Connection, Run } from "./connection.ts";
import { isDenied, isReadOnly, numberOf } from "./errors.ts";

const COLUMNS = {
  id: "VARBINARY(255) NOT NULL",
  principal: "VARBINARY(255) NULL",
  version: "BIGINT NOT NULL",
  expires_at: "BIGINT NOT NULL",
  fields: "JSON NOT NULL",
} as const;

const INDEXES: WantedTable["indexes"] = {
  by_expiry: { columns: ["expires_at"], without: "sweep() reads the whole table" },
  by_principal: {
    columns: ["principal", "id"],
    without: "the sessions of a user are searched in the whole table",
  },
};

/** The smallest `max_allowed_packet` that fits every session of 1 MiB, in hexadecimal and with JSON's escapes. */
const ROOM = 16 * 1024 * 1024;
const DUPLICATE_KEY_NAME = 1061;
/** The kinds of tables in `information_schema` that hold rows of their own: no views, no sequences. */
const TABLES = ["BASE TABLE", "SYSTEM VERSIONED"];

const indexDefinitions: ReadonlyMap<string, string> = new Map(
  Object.entries(INDEXES).map(([name, { columns }]) => [name, `INDEX ${name} (${columns.join(", ")})`]),
);

/** The statement that `setup()` runs if there is no table. */
function definition({ quoted }: SqlTable): string {
  const lines = [
    ...Object.entries(COLUMNS).map(([name, type]) => `${name} ${type}`),
    "PRIMARY KEY (id)",
    ...indexDefinitions.values(),
  ];
  return `CREATE TABLE IF NOT EXISTS ${quoted} (\n  ${lines.join(",\n  ")}\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin`;
}

/** What has the table's name. */
interface Found extends FoundTable {
  readonly engine: string;
}

/** A column's type in the driver's words, where it is one that serves; else as the server says it. */
function typeIn([type = "", , collation = ""]: readonly string[]): string {
  // MariaDB reports JSON as longtext, and BIGINT with a display width; MySQL 8 does neither.
  if (type === "longtext" && collation === "utf8mb4_bin") return "json";
  if (/^bigint\(\d+\)$/.test(type)) return "bigint";
  return [type, collation].filter(Boolean).join(" ");
}

interface Backend {
  readonly table: SqlTable;
  work<T>(attempt: (connection: Connection) => Promise<T>, within?: number): Promise<T>;
}

/** The driver's methods that make, check and drop the table. */
export function createProvisioning({
  table,
  work,
}: Backend): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  const { name, quoted } = table;
  const wanted: WantedTable = {
    driver: "mysql",
    table: name,
    columns: COLUMNS,
    primaryKey: ["id"],
    indexes: INDEXES,
  };
  const hex = (text: string): string => `x'${Buffer.from(text).toString("hex")}'`;
  const ofTable = `table_schema = DATABASE() AND table_name = IF(@@lower_case_table_names = 1, ${hex(name.toLowerCase())}, ${hex(name)})`;

  async function ask(run: Run, sql: string): Promise<string[][]> {
    return (await run(sql)).rows.map((row) => row.map((column) => column ?? ""));
  }

  async function look(run: Run): Promise<Found | undefined> {
    for (;;) {
      const [first] = await ask(
        run,
        `SELECT table_type, engine FROM information_schema.tables WHERE ${ofTable}`,
      );
      if (first === undefined) return undefined;
      const [kind = "", engine = ""] = first;
      const isTable = TABLES.includes(kind);
      const rows = await ask(
        run,
        `SELECT LOWER(column_name), column_type, is_nullable, collation_name FROM information_schema.columns WHERE ${ofTable}`,
      );
      // No columns: the table was made or dropped between the two statements, so look again.
      if (rows.length === 0 && isTable) continue;
      const columns = new Map(
        rows.map(([own = "", ...column]) => [own, { type: typeIn(column), isNullable: column[1] === "YES" }]),
      );
      const indexes = isTable ? await lookAtIndexes(run) : new Map<string, string[]>();
      return {
        isTable,
        engine,
        columns,
        primaryKey: indexes.get("PRIMARY") ?? [],
        indexes: [...indexes.values()].map((of) => ({ columns: of })),
      };
    }
  }

  /** The columns of each index, by its name. */
  async function lookAtIndexes(run: Run): Promise<Map<string, string[]>> {
    const rows = await ask(
      run,
      `SELECT index_name, column_name FROM information_schema.statistics WHERE ${ofTable} ORDER BY index_name, seq_in_index`,
    );
    const indexes = new Map<string, string[]>();
    for (const [index = "", column = ""] of rows) indexes.set(index, [...(indexes.get(index) ?? []), column]);
    return indexes;
  }

  /** Tries the kinds of statements that the driver uses, on no row. */
  async function checkPermissions(run: Run): Promise<string[]> {
    const tries = {
      SELECT: `SELECT id FROM ${quoted} LIMIT 0`,
      INSERT: `INSERT INTO ${quoted} (id, version, expires_at, fields) SELECT x'', 1, 0, '{}' FROM DUAL WHERE 1 = 0`,
      UPDATE: `UPDATE ${quoted} SET version = 1 WHERE id = x''`,
      DELETE: `DELETE FROM ${quoted} WHERE id = x''`,
    };
    const denied: string[] = [];
    for (const [permission, sql] of Object.entries(tries)) {
      try {
        await run(sql);
      } catch (error) {
        if (isReadOnly(error))
          return [...missingPermissions(name, denied), "The server is read-only: connect to the primary"];
        if (!isDenied(error)) throw error;
        denied.push(permission);
      }
    }
    return missingPermissions(name, denied);
  }

  async function checkServer(run: Run): Promise<string[]> {
    const rows = await ask(
      run,
      "SHOW VARIABLES WHERE Variable_name IN ('autocommit', 'max_allowed_packet', 'transaction_isolation', 'tx_isolation')",
    );
    const value = new Map(rows.map(([variable = "", text = ""]) => [variable, text]));
    const isolation = value.get("transaction_isolation") ?? value.get("tx_isolation");
    return [
      ...(value.get("autocommit") === "OFF"
        ? ["autocommit is off, so the server would keep no write: set it to 1 for the sessions' connections"]
        : []),
      ...(isolation === "READ-UNCOMMITTED"
        ? [
            "The isolation level is READ-UNCOMMITTED, which shows writes before they are committed: set READ-COMMITTED or higher",
          ]
        : []),
      ...(Number(value.get("max_allowed_packet")) < ROOM
        ? [
            `max_allowed_packet is ${value.get("max_allowed_packet")}: set it to ${ROOM} for sessions of 1 MiB`,
          ]
        : []),
    ];
  }

  return {
    async setup() {
      // Look first, within the driver's timeout: if nothing is missing, setup() takes no lock and needs no permission.
      const missing = await work(async ({ run }) => {
        const inspection = inspectTable(wanted, await look(run));
        refuseIncomplete(wanted, inspection);
        return inspection.state === "missing" ? undefined : inspection.missingIndexes;
      });
      if (missing?.length === 0) return;
      // Without a timeout: an index on a large table takes longer than seconds.
      const make = work(async ({ run }) => {
        if (missing === undefined) await run(definition(table));
        for (const index of missing ?? []) {
          try {
            await run(`ALTER TABLE ${quoted} ADD ${indexDefinitions.get(index)}`);
          } catch (error) {
            // Another process has made the index meanwhile.
            if (numberOf(error) !== DUPLICATE_KEY_NAME) throw error;
          }
        }
      }, Number.POSITIVE_INFINITY);
      await make.catch((error: unknown) => {
        if (!(error instanceof Error) || !isDenied(error.cause)) throw error;
        throw new SessionSetupError(
          `mysql: the user may not make "${name}" or its indexes. GRANT CREATE, ALTER and INDEX to the user, or run the definition in the README.`,
          { cause: error },
        );
      });
    },

    check: () =>
      work(async ({ run }) => {
        const found = await look(run);
        const { state, columnsFit, problems } = inspectTable(wanted, found);
        if (state === "foreign") return [...problems];
        return [
          ...(found === undefined || found.engine === "InnoDB"
            ? []
            : [`The engine of ${name} is ${found.engine}: ALTER TABLE ${name} ENGINE=InnoDB`]),
          ...problems,
          // These statements use the columns, so try them only if the columns are right.
          ...(columnsFit ? await checkPermissions(run) : []),
          ...(await checkServer(run)),
        ];
      }),

    async teardown() {
      const { state } = await work(async ({ run }) => {
        const inspection = inspectTable(wanted, await look(run));
        refuseForeign(wanted, inspection);
        return inspection;
      });
      if (state !== "missing")
        await work(({ run }) => run(`DROP TABLE IF EXISTS ${quoted}`), Number.POSITIVE_INFINITY);
    },
  };
}
