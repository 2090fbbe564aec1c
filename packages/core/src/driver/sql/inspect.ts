import { SessionSetupError } from "../../base/errors.ts";

/** The table that a driver needs. */
export interface WantedTable {
  /** The driver's name, for messages. */
  readonly driver: string;
  /** The table's name, for messages. */
  readonly table: string;
  /** Each column's type, collation and `NOT NULL`, in the words of its definition: `'text COLLATE "C" NOT NULL'`. */
  readonly columns: Readonly<Record<string, string>>;
  /** The primary key's columns. */
  readonly primaryKey: readonly string[];
  /** The indexes that `setup()` makes, by name. */
  readonly indexes: Readonly<Record<string, WantedIndex>>;
}

/** An index that a driver needs. */
export interface WantedIndex {
  /** The columns that the index begins with, in this order. */
  readonly columns: readonly string[];
  /** The consequence of a missing index, for messages: `"sweep() reads the whole table"`. */
  readonly without: string;
  /** Whether an index over some of the rows is enough. @default false */
  readonly mayBePartial?: boolean | undefined;
}

/** The object that has the table's name in the backend. */
export interface FoundTable {
  /** Whether the object holds rows of its own: it is no view, sequence, or table of another server. */
  readonly isTable: boolean;
  /** The columns, by name. */
  readonly columns: ReadonlyMap<string, FoundColumn>;
  /** The primary key's columns; empty if there is no primary key. */
  readonly primaryKey: readonly string[];
  /** The indexes. Their names do not matter. */
  readonly indexes: readonly FoundIndex[];
}

/** A column of the table in the backend. */
export interface FoundColumn {
  /** The type. A correct type must be in the words of the wanted definition; case does not matter. */
  readonly type: string;
  readonly isNullable: boolean;
  /** The collation. Needed if the wanted definition has a `COLLATE`. */
  readonly collation?: string | undefined;
}

/** An index of the table in the backend. */
export interface FoundIndex {
  readonly columns: readonly string[];
  /** Whether the index leaves rows out. @default false */
  readonly isPartial?: boolean | undefined;
}

/** The result of {@link inspectTable}. */
export interface TableInspection {
  /** `foreign`: the table of another application. `incomplete`: the driver's own table, without one of the columns. */
  readonly state: "missing" | "foreign" | "incomplete" | "complete";
  /** Whether every column is correct, so that the driver can try its own statements. */
  readonly columnsFit: boolean;
  /** The names of the wanted indexes that are missing. */
  readonly missingIndexes: readonly string[];
  /** For `check()`: one sentence for each thing that is missing or wrong. */
  readonly problems: readonly string[];
}

/** The parts of a column's definition. */
function parse(definition: string): { type: string; collation: string | undefined; isNullable: boolean } {
  return {
    type: definition.replace(/ (COLLATE|NOT NULL|NULL)\b.*$/, "").toLowerCase(),
    collation: / COLLATE "?(\w+)"?/.exec(definition)?.[1],
    isNullable: !definition.endsWith("NOT NULL"),
  };
}

function columnProblem(what: string, definition: string, found: FoundColumn | undefined): string | undefined {
  const { type, collation, isNullable } = parse(definition);
  const remedy = `make it ${definition}`;
  if (found === undefined) return `${what} is missing: ${remedy}`;
  if (found.type.toLowerCase() !== type) return `${what} is ${found.type || "without a type"}: ${remedy}`;
  if (found.isNullable !== isNullable) return `${what} ${isNullable ? "refuses" : "takes"} NULL: ${remedy}`;
  if (collation !== undefined && found.collation !== collation)
    return `${what} has the collation "${found.collation}", and must have "${collation}": else texts that differ may be equal, or in another order`;
  return undefined;
}

const serves = (index: FoundIndex, { columns, mayBePartial = false }: WantedIndex): boolean =>
  (mayBePartial || !index.isPartial) && columns.every((column, i) => index.columns[i] === column);

/**
 * Compares the wanted table with the one that the driver found, for `setup()`, `check()` and `teardown()` (R12). Types are
 * compared as text, so a driver translates the server's name of a type into the words of its own definition.
 *
 * A table that lacks at most one of the columns is the driver's own; one that lacks more belongs to another application.
 *
 * @param found `undefined` if nothing has the name.
 * @example
 * import { type FoundTable, inspectTable, type WantedTable } from "@sessions/core/driver-tools";
 *
 * declare const wanted: WantedTable;
 * declare function look(): Promise<FoundTable | undefined>;
 * async function check(): Promise<string[]> {
 *   const { problems } = inspectTable(wanted, await look());
 *   return [...problems];
 * }
 */
export function inspectTable(wanted: WantedTable, found: FoundTable | undefined): TableInspection {
  const { table, columns, primaryKey, indexes } = wanted;
  if (found === undefined)
    return {
      state: "missing",
      columnsFit: false,
      missingIndexes: Object.keys(indexes),
      problems: [`The table ${table} is missing: run setup()`],
    };
  const names = Object.keys(columns);
  const there = names.filter((name) => found.columns.has(name));
  if (!found.isTable || there.length < names.length - 1)
    return {
      state: "foreign",
      columnsFit: false,
      missingIndexes: [],
      problems: [
        `${table} is no table of this driver's, which has the columns ${names.join(", ")}: give the option table another name`,
      ],
    };
  const columnProblems = Object.entries(columns).flatMap(
    ([name, definition]) =>
      columnProblem(`The column ${name} of ${table}`, definition, found.columns.get(name)) ?? [],
  );
  const missing = Object.entries(indexes).filter(
    ([, index]) => !found.indexes.some((one) => serves(one, index)),
  );
  return {
    state: there.length < names.length ? "incomplete" : "complete",
    columnsFit: columnProblems.length === 0,
    missingIndexes: missing.map(([name]) => name),
    problems: [
      ...columnProblems,
      ...(found.primaryKey.join() === primaryKey.join()
        ? []
        : [
            `The primary key of ${table} is not (${primaryKey.join(", ")}): make it so, or one id may have two records`,
          ]),
      ...missing.map(
        ([, index]) =>
          `The index on (${index.columns.join(", ")}) of ${table} is missing, and ${index.without}: run setup()`,
      ),
    ],
  };
}

/**
 * Rejects the table of another application, for `teardown()`.
 *
 * @throws SessionSetupError if the table belongs to another application.
 * @example
 * import { type FoundTable, inspectTable, refuseForeign, type WantedTable } from "@sessions/core/driver-tools";
 *
 * declare const wanted: WantedTable;
 * declare function look(): Promise<FoundTable | undefined>;
 * declare function query(sql: string): Promise<unknown>;
 * async function teardown(): Promise<void> {
 *   const inspection = inspectTable(wanted, await look());
 *   refuseForeign(wanted, inspection);
 *   if (inspection.state !== "missing") await query(`DROP TABLE IF EXISTS "sessions"`);
 * }
 */
export function refuseForeign({ driver }: WantedTable, { state, problems }: TableInspection): void {
  if (state === "foreign") throw new SessionSetupError(`${driver}: ${problems[0]}. It was left as it is`);
}

/**
 * Rejects a table that `setup()` must not touch: `setup()` makes tables and indexes, but changes no column.
 *
 * @throws SessionSetupError if the table belongs to another application, or lacks a column.
 * @example
 * import { type FoundTable, inspectTable, refuseIncomplete, type WantedTable } from "@sessions/core/driver-tools";
 *
 * declare const wanted: WantedTable;
 * declare function look(): Promise<FoundTable | undefined>;
 * declare function makeIndex(name: string): Promise<void>;
 * async function setup(): Promise<void> {
 *   const inspection = inspectTable(wanted, await look());
 *   refuseIncomplete(wanted, inspection);
 *   for (const name of inspection.missingIndexes) await makeIndex(name);
 * }
 */
export function refuseIncomplete(wanted: WantedTable, inspection: TableInspection): void {
  refuseForeign(wanted, inspection);
  if (inspection.state === "incomplete")
    throw new SessionSetupError(
      `${wanted.driver}: the table "${wanted.table}" lacks a column. Run sessions.check() to see which; the README has its definition.`,
    );
}

/**
 * Returns one sentence for `check()` for each permission that the user lacks.
 *
 * @example
 * missingPermissions("sessions", ["INSERT"]); // ["The user has no permission: GRANT INSERT ON sessions to it"]
 */
export function missingPermissions(table: string, denied: readonly string[]): string[] {
  return denied.map((permission) => `The user has no permission: GRANT ${permission} ON ${table} to it`);
}
