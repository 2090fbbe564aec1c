import { SessionSetupError } from "../../base/errors.ts";

/** The table that a driver needs. */
export interface WantedTable {
  /** The driver's name, for messages. */
  readonly driver: string;
  /** The table's name, for messages. */
  readonly table: string;
  /** Each column's type, collation and `NOT NULL`, as its definition says them: `'text COLLATE "C" NOT NULL'`. */
  readonly columns: Readonly<Record<string, string>>;
  /** The primary key's columns. */
  readonly primaryKey: readonly string[];
  /** The indexes that `setup()` makes, by name. */
  readonly indexes: Readonly<Record<string, WantedIndex>>;
}

/** An index that a driver needs. */
export interface WantedIndex {
  /** What it begins with, in this order. */
  readonly columns: readonly string[];
  /** What happens without it: `"sweep() reads the whole table"`. */
  readonly without: string;
  /** Whether one over some of the rows is enough. @default false */
  readonly mayBePartial?: boolean | undefined;
}

/** What has the table's name in the backend. */
export interface FoundTable {
  /** Whether it holds rows of its own, and is no view, sequence, or table of another server. */
  readonly isTable: boolean;
  /** By name. */
  readonly columns: ReadonlyMap<string, FoundColumn>;
  /** The primary key's columns; none where there is none. */
  readonly primaryKey: readonly string[];
  /** The indexes, under whatever name. */
  readonly indexes: readonly FoundIndex[];
}

/** A column that is there. */
export interface FoundColumn {
  /** In the words of the definition that is wanted, where it is as wanted: upper or lower case does not matter. */
  readonly type: string;
  readonly isNullable: boolean;
  /** Needed where a definition has a `COLLATE`. */
  readonly collation?: string | undefined;
}

/** An index that is there. */
export interface FoundIndex {
  readonly columns: readonly string[];
  /** Whether it leaves rows out. @default false */
  readonly isPartial?: boolean | undefined;
}

/** What a look at the table came to. */
export interface TableInspection {
  /** `foreign`: another application's. `incomplete`: the driver's own, without one of the columns. */
  readonly state: "missing" | "foreign" | "incomplete" | "complete";
  /** Whether each column is as it is wanted, so that the driver's own statements can be tried. */
  readonly columnsFit: boolean;
  /** The names of the indexes that are wanted and not there. */
  readonly missingIndexes: readonly string[];
  /** For `check()`: a sentence for each thing that is missing or wrong. */
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
 * Compares the table that is wanted with what the driver saw under its name, for `setup()`, `check()` and `teardown()`
 * (R12). Types are compared as text, so a driver says a type of the server's in the words of its own definition.
 *
 * A table with all of the columns but one is the driver's own, damaged perhaps; one with fewer is another application's.
 *
 * @param found `undefined` where nothing has the name.
 * @example
 * async check() {
 *   const { problems } = inspectTable(wanted, await look());
 *   return [...problems, ...(await checkServer())];
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
 * For `teardown()`, and for `setup()` before it changes anything.
 *
 * @throws SessionSetupError where the table is another application's.
 * @example
 * const inspection = inspectTable(wanted, await look());
 * refuseForeign(wanted, inspection);
 * if (inspection.state !== "missing") await query(`DROP TABLE IF EXISTS ${quoted}`);
 */
export function refuseForeign({ driver }: WantedTable, { state, problems }: TableInspection): void {
  if (state === "foreign") throw new SessionSetupError(`${driver}: ${problems[0]}. It was left as it is`);
}

/**
 * For `setup()`, which makes tables and indexes, and changes no column.
 *
 * @throws SessionSetupError where the table is another application's, or lacks a column.
 * @example
 * refuseIncomplete(wanted, inspection);
 * for (const name of inspection.missingIndexes) await makeIndex(name);
 */
export function refuseIncomplete(wanted: WantedTable, inspection: TableInspection): void {
  refuseForeign(wanted, inspection);
  if (inspection.state === "incomplete")
    throw new SessionSetupError(
      `${wanted.driver}: the table "${wanted.table}" lacks a column: check() names it, and the README has its definition`,
    );
}

/**
 * For `check()`: a sentence for each permission that the user lacks.
 *
 * @example
 * missingPermissions("sessions", ["INSERT"]); // ["The user has no permission: GRANT INSERT ON sessions to it"]
 */
export function missingPermissions(table: string, denied: readonly string[]): string[] {
  return denied.map((permission) => `The user has no permission: GRANT ${permission} ON ${table} to it`);
}
