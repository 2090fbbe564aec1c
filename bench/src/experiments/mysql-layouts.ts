import { Buffer } from "node:buffer";
import type { Change, CommitOutcome } from "@sessions/core";
import { mysqlDriver } from "@sessions/driver-mysql";
import type { Pool, ResultSetHeader, RowDataPacket } from "mysql2/promise";

/** A layout of a record in tables, complete enough to compare loads and commits. */
export interface Layout {
  readonly name: string;
  setup(): Promise<unknown>;
  create(id: string, fields: ReadonlyMap<string, string>, expiresAt: number): Promise<unknown>;
  load(id: string): Promise<{ version: number; fields: ReadonlyMap<string, string> } | undefined>;
  /** Writes one field in one round trip. */
  commit(id: string, name: string, text: string, now: number, ifVersion?: number): Promise<CommitOutcome>;
  teardown(): Promise<unknown>;
}

type Fields = Record<string, string>;
/** A column that a commit changes: its name, the expression of its new value, and the values in the expression. */
type Assignment = readonly [column: string, expression: string, ...values: string[]];

const HEAD =
  "version BIGINT NOT NULL, expires_at BIGINT NOT NULL, principal VARBINARY(255) NULL, INDEX by_expiry (expires_at)";
/** How many buckets the layout with buckets has. */
const BUCKETS = 8;
/** The layout that needs more than one round trip if commits overlap. */
export const WHOLE = "whole row";
/** In the layout with rows for large fields, longer texts get their own row. */
const SMALL = 512;

const path = (name: string): string => `$.${JSON.stringify(name)}`;
const mapOf = (...parts: readonly Fields[]): Map<string, string> =>
  new Map(parts.flatMap((part) => Object.entries(part)));

/** Derives the outcome from the version that the live record had; 0 means that there was none. */
function outcomeOf(version: number, ifVersion: number | undefined): CommitOutcome {
  if (version === 0) return "gone";
  return ifVersion === undefined || version === ifVersion ? "committed" : "conflict";
}

async function rowsOf(pool: Pool, sql: string, values: unknown[]): Promise<RowDataPacket[]> {
  const [rows] = await pool.query<RowDataPacket[]>({ sql, values, rowsAsArray: true });
  return rows;
}

/** One row for a record. The layouts differ in the columns that hold its fields. */
function oneRow(
  pool: Pool,
  name: string,
  how: {
    readonly columns: Readonly<Record<string, string>>;
    /** The values of the columns, in their order. */
    write(fields: Fields): string[];
    /** One expression that selects all columns, and a function that reads it. */
    readonly select: string;
    read(text: string): Map<string, string>;
    assign(id: string, name: string, text: string): Assignment;
  },
): Layout {
  const table = `layout_${name.replace(/\W+/g, "_").toLowerCase()}`;
  const columns = Object.entries(how.columns);
  return {
    name,
    setup: () =>
      pool.query(
        `CREATE TABLE ${table} (id VARBINARY(255) PRIMARY KEY, ${columns.map((column) => column.join(" ")).join(", ")}, ${HEAD})`,
      ),
    create: (id, fields, expiresAt) =>
      pool.query(
        `INSERT INTO ${table} (id, version, expires_at, ${Object.keys(how.columns).join(", ")}) VALUES (?)`,
        [[Buffer.from(id), 1, expiresAt, ...how.write(Object.fromEntries(fields))]],
      ),
    async load(id) {
      const [row] = await rowsOf(
        pool,
        `SELECT version, expires_at, principal, ${how.select} FROM ${table} WHERE id = ?`,
        [Buffer.from(id)],
      );
      return row && { version: Number(row[0]), fields: how.read(String(row[3])) };
    },
    async commit(id, field, text, now, ifVersion) {
      const [column, expression, ...values] = how.assign(id, field, text);
      const is = ifVersion === undefined ? "TRUE" : `version = ${ifVersion}`;
      const [{ insertId }] = await pool.query<ResultSetHeader>(
        `UPDATE ${table} SET ${column} = IF(${is}, ${expression}, ${column}), version = LAST_INSERT_ID(version) + (${is}) WHERE id = ? AND expires_at > ?`,
        [...values, Buffer.from(id), now],
      );
      return outcomeOf(insertId, ifVersion);
    },
    teardown: () => pool.query(`DROP TABLE IF EXISTS ${table}`),
  };
}

const jsonRow = {
  columns: { fields: "JSON NOT NULL" },
  write: (fields: Fields) => [JSON.stringify(fields)],
  select: "CAST(fields AS CHAR)",
  read: (text: string) => mapOf(JSON.parse(text)),
};

/** The driver's layout, by the bare client. */
const jsonSet = (pool: Pool): Layout =>
  oneRow(pool, "JSON_SET", {
    ...jsonRow,
    assign: (_, name, text) => ["fields", "JSON_SET(fields, ?, ?)", path(name), text],
  });

const mergePatch = (pool: Pool): Layout =>
  oneRow(pool, "JSON_MERGE_PATCH", {
    ...jsonRow,
    assign: (_, name, text) => ["fields", "JSON_MERGE_PATCH(fields, ?)", JSON.stringify({ [name]: text })],
  });

/**
 * The client writes the whole record that it loaded before. To keep two commits to different fields, it would need a
 * compare-and-set, which the later commit would repeat. So this is a lower bound: a real one adds another round trip.
 */
function whole(pool: Pool): Layout {
  const known = new Map<string, Fields>();
  const layout = oneRow(pool, WHOLE, {
    ...jsonRow,
    columns: { fields: "LONGTEXT NOT NULL" },
    select: "fields",
    assign(id, name, text) {
      const fields = { ...known.get(id), [name]: text };
      known.set(id, fields);
      return ["fields", "?", JSON.stringify(fields)];
    },
  });
  return {
    ...layout,
    create(id, fields, expiresAt) {
      known.set(id, Object.fromEntries(fields));
      return layout.create(id, fields, expiresAt);
    },
  };
}

function bucketOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0;
  return (hash >>> 0) % BUCKETS;
}

/** A row with its fields in a few columns, by a hash of their names. A commit writes one of the columns. */
function buckets(pool: Pool): Layout {
  const names = Array.from({ length: BUCKETS }, (_, i) => `b${i}`);
  return oneRow(pool, `${BUCKETS} buckets`, {
    columns: Object.fromEntries(names.map((column) => [column, "JSON NOT NULL"])),
    write(fields) {
      const parts = names.map((): [string, string][] => []);
      for (const entry of Object.entries(fields)) parts[bucketOf(entry[0])]?.push(entry);
      return parts.map((part) => JSON.stringify(Object.fromEntries(part)));
    },
    select: `CONCAT_WS(',', ${names.join(", ")})`,
    read: (text) => mapOf(...JSON.parse(`[${text}]`)),
    assign: (_, name, text) => [`b${bucketOf(name)}`, `JSON_SET(b${bucketOf(name)}, ?, ?)`, path(name), text],
  });
}

/**
 * Rows for fields, in one table with the record's own row, whose name is empty. So one statement can lock and judge the
 * record's row and write both. If short texts stay in the record's row, a text there hides the field's own row.
 */
function manyRows(pool: Pool, name: string, small: number): Layout {
  const table = `layout_${name.replace(/\W+/g, "_")}`;
  const isSmall = (text: string): boolean => text.length <= small;
  return {
    name,
    setup: () =>
      pool.query(
        `CREATE TABLE ${table} (id VARBINARY(255), name VARBINARY(2049), text LONGTEXT NULL, fields JSON NULL, version BIGINT NULL, expires_at BIGINT NULL, principal VARBINARY(255) NULL, PRIMARY KEY (id, name), INDEX by_expiry (expires_at)) CHARSET=utf8mb4 COLLATE=utf8mb4_bin`,
      ),
    create(id, fields, expiresAt) {
      const inside = [...fields].filter(([, text]) => isSmall(text));
      const outside = [...fields].filter(([, text]) => !isSmall(text));
      const key = Buffer.from(id);
      const head = [key, "", null, JSON.stringify(Object.fromEntries(inside)), 1, expiresAt];
      return pool.query(`INSERT INTO ${table} (id, name, text, fields, version, expires_at) VALUES ?`, [
        [head, ...outside.map(([field, text]) => [key, Buffer.from(field), text, null, null, null])],
      ]);
    },
    async load(id) {
      const rows = await rowsOf(
        pool,
        `SELECT version, expires_at, principal, CAST(name AS CHAR), text, CAST(fields AS CHAR) FROM ${table} WHERE id = ?`,
        [Buffer.from(id)],
      );
      const [head, ...others] = rows;
      if (!head) return undefined;
      const fields = new Map(others.map((row) => [String(row[3]), String(row[4])] as const));
      for (const [field, text] of mapOf(JSON.parse(head[5]))) fields.set(field, text);
      return { version: Number(head[0]), fields };
    },
    async commit(id, field, text, now, ifVersion) {
      const key = Buffer.from(id);
      const is = ifVersion === undefined ? "TRUE" : `${table}.version = ${ifVersion}`;
      const raise = `LAST_INSERT_ID(${table}.version) + (${is})`;
      if (isSmall(text)) {
        const [{ insertId }] = await pool.query<ResultSetHeader>(
          `UPDATE ${table} SET fields = IF(${is}, JSON_SET(fields, ?, ?), fields), version = ${raise} WHERE id = ? AND name = '' AND expires_at > ?`,
          [path(field), text, key, now],
        );
        return outcomeOf(insertId, ifVersion);
      }
      const inside = `IF(${is}, JSON_REMOVE(${table}.fields, ?), ${table}.fields)`;
      const [{ insertId }] = await pool.query<ResultSetHeader>(
        [
          `INSERT INTO ${table} (id, name, text)`,
          `SELECT head.id, f.name, f.text FROM ${table} AS head JOIN (SELECT '' AS name, NULL AS text UNION ALL SELECT ?, ?) AS f`,
          "WHERE head.id = ? AND head.name = '' AND head.expires_at > ?",
          ifVersion === undefined ? "" : `AND (f.name = '' OR head.version = ${ifVersion})`,
          // With a shared lock, two commits would each wait for the other.
          "FOR UPDATE",
          `ON DUPLICATE KEY UPDATE text = VALUES(text)${small < 0 ? "" : `, fields = IF(${table}.name = '', ${inside}, NULL)`},`,
          `version = IF(${table}.name = '', ${raise}, NULL)`,
        ].join(" "),
        [field, text, key, now, ...(small < 0 ? [] : [path(field)])],
      );
      return outcomeOf(insertId, ifVersion);
    },
    teardown: () => pool.query(`DROP TABLE IF EXISTS ${table}`),
  };
}

/** The driver itself. */
function driven(pool: Pool): Layout {
  const driver = mysqlDriver({ client: pool, table: "layout_driver", timeout: "1m" });
  return {
    name: "the driver",
    setup: driver.setup,
    create: (id, fields, expiresAt) => driver.create(id, { fields, expiresAt }, expiresAt - 1),
    load: driver.load,
    commit(id, name, text, now, ifVersion) {
      const change: Change = {
        fields: new Map([[name, text]]),
        ...(ifVersion !== undefined && { ifVersion }),
      };
      return driver.commit(id, change, now);
    },
    teardown: driver.teardown,
  };
}

/** All layouts. The second is the driver's layout without the driver. */
export const layoutsOf = (pool: Pool): Layout[] => [
  driven(pool),
  jsonSet(pool),
  mergePatch(pool),
  whole(pool),
  manyRows(pool, "row a field", -1),
  manyRows(pool, `rows over ${SMALL} B`, SMALL),
  buckets(pool),
];
