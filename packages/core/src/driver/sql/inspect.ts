import { SessionSetupError } from "../../base/errors.ts";

/** The table that a driver needs. */
export interface WantedTable {
  /** The driver's name, for messages. */
  readonly driver: string;
  /** The table's name, for messages. */
  readonly table: string;
  /** The definition of each column, with its type, collation and `NOT NULL`: `'text COLLATE "C" NOT NULL'`. */
  readonly columns: Readonly<Record<string, string>>;
  /** The primary key's columns. */
  readonly primaryKey: readonly string[];
  /** The indexes that `setup()` makes, by name. */
  readonly indexes: Readonly<Record<string, WantedIndex>>;
}

/** An index that a driver needs. */
export interface WantedIndex {
  /** The columns that it begins with, in this order. */
  readonly columns: readonly string[];
  /** The consequence of a missing index, for messages: `"sweep() reads the whole table"`. */
  readonly without: string;
  /** Whether an index over some of the rows is enough. @default false */
  readonly mayBePartial?: boolean | undefined;
}

/** What the backend has under the table's name. */
export interface FoundTable {
  /** Whether it is a table with its own rows, and not a view, a sequence or a table of another server. */
  readonly isTable: boolean;
  /** The columns, by name. */
  readonly columns: ReadonlyMap<string, FoundColumn>;
  /** The primary key's columns; empty if there is no primary key. */
  readonly primaryKey: readonly string[];
  /** The indexes. Their names do not matter. */
  readonly indexes: readonly FoundIndex[];
}

/** A column that the backend has. */
export interface FoundColumn {
  /** The type, in the words of the wanted definition if it is the wanted type. Case does not matter. */
  readonly type: string;
  /** Whether it takes NULL. */
  readonly isNullable: boolean;
  /** Required if the wanted definition has a `COLLATE`. */
  readonly collation?: string | undefined;
}

/** An index that the backend has. */
export interface FoundIndex {
  /** Its columns, in order. */
  readonly columns: readonly string[];
  /** Whether it leaves out some rows. @default false */
  readonly isPartial?: boolean | undefined;
}

/** The result of {@link inspectTable}. */
export interface TableInspection {
  /** `foreign`: the table of another application. `incomplete`: the driver's table, but one column is missing. */
  readonly state: "missing" | "foreign" | "incomplete" | "complete";
  /** Whether each column is as wanted, so that the driver's statements can run. */
  readonly columnsFit: boolean;
  /** The names of the wanted indexes that are missing. */
  readonly missingIndexes: readonly string[];
  /** For `check()`: one sentence for each thing that is missing or wrong. */
  readonly problems: readonly string[];
}

/** Reads the parts of a column's definition. */
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
 * Compares the wanted table with what the driver found under its name, for `setup()`, `check()` and `teardown()` (rule
 * R12 of SPEC.md). Types are compared as text, so the driver translates a server's type into the words of its own
 * definition.
 *
 * A table that lacks at most one of the columns is the driver's own, perhaps damaged. A table with fewer columns
 * belongs to another application.
 *
 * @param found `undefined` if nothing has the name.
 * @example
 * import { type FoundTable, inspectTable, type WantedTable } from "@sessions/core/driver-tools";
 *
 * const wanted: WantedTable = {
 *   driver: "example",
 *   table: "sessions",
 *   columns: { id: "text NOT NULL", expires_at: "bigint NOT NULL" },
 *   primaryKey: ["id"],
 *   indexes: { sessions_expiry: { columns: ["expires_at"], without: "sweep() reads the whole table" } },
 * };
 *
 * export const check = (found: FoundTable | undefined) => inspectTable(wanted, found).problems;
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
 * Refuses a table of another application. Call it in `teardown()`, and in `setup()` before that changes anything.
 *
 * @throws SessionSetupError The table belongs to another application.
 * @example
 * import { refuseForeign, type TableInspection, type WantedTable } from "@sessions/core/driver-tools";
 *
 * export function dropStatement(wanted: WantedTable, inspection: TableInspection): string | undefined {
 *   refuseForeign(wanted, inspection);
 *   return inspection.state === "missing" ? undefined : `DROP TABLE IF EXISTS "${wanted.table}"`;
 * }
 */
export function refuseForeign({ driver }: WantedTable, { state, problems }: TableInspection): void {
  if (state === "foreign") throw new SessionSetupError(`${driver}: ${problems[0]}. It was left as it is`);
}

/**
 * Refuses a table that `setup()` cannot repair: `setup()` creates tables and indexes, but changes no column.
 *
 * @throws SessionSetupError The table belongs to another application, or lacks a column.
 * @example
 * import { refuseIncomplete, type TableInspection, type WantedTable } from "@sessions/core/driver-tools";
 *
 * export function indexesToCreate(wanted: WantedTable, inspection: TableInspection): readonly string[] {
 *   refuseIncomplete(wanted, inspection);
 *   return inspection.missingIndexes;
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
 * Returns a sentence for each permission that the database user lacks, for `check()`.
 *
 * @example
 * missingPermissions("sessions", ["INSERT"]); // ["The user has no permission: GRANT INSERT ON sessions to it"]
 */
export function missingPermissions(table: string, denied: readonly string[]): string[] {
  return denied.map((permission) => `The user has no permission: GRANT ${permission} ON ${table} to it`);
}
