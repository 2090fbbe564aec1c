import { Buffer } from "node:buffer";
import {
  type Change,
  type ListedRecord,
  type ListQuery,
  type NewRecord,
  SessionCodecError,
  type StoredRecord,
  type SweepRange,
} from "@sessions/core";
import { raisesVersion } from "@sessions/core/driver-tools";
import { inTransaction } from "./errors.ts";

/**
 * Statements are ASCII, with every text in hexadecimal. So neither the connection's character set nor its sql_mode
 * (NO_BACKSLASH_ESCAPES, ANSI_QUOTES) can change their meaning, and no text can end its own quotes. They are sent
 * unprepared: each number of fields would be one more prepared statement on the server, with one more round trip.
 */
const bytes = (text: string): string => `x'${Buffer.from(text, "utf8").toString("hex")}'`;
const chars = (text: string): string => `_utf8mb4 ${bytes(text)}`;
const bytesOrNull = (text: string | null | undefined): string => (text == null ? "NULL" : bytes(text));

/** Begins each key of the JSON object, so that a name such as `__proto__`, or one that begins with `-`, is safe. */
const KEY_PREFIX = "f";
const path = (field: string): string => chars(`$.${JSON.stringify(KEY_PREFIX + field)}`);

function jsonOf(fields: ReadonlyMap<string, string>): string {
  const entries = [...fields].map(([name, text]) => [KEY_PREFIX + name, text] as const);
  return chars(JSON.stringify(Object.fromEntries(entries)));
}

// CONVERT and then CAST, because the server would send a text in the connection's character set. Most of a row is one
// column, and names are short: the client parses every column's definition again with each answer.
const COLUMNS =
  "CONCAT(@@autocommit + 0, ' ', version, ' ', expires_at, ' ', CAST(CONVERT(fields USING utf8mb4) AS BINARY)) r, principal p";

/**
 * A name for the row to insert, so that its JSON is sent once. Each server reads the comment meant for it. MySQL warns
 * about VALUES(); MariaDB offers nothing else, except a temporary table, which made a create five times slower.
 */
const NAMED = "/*!80019 AS made (i, p, v, e, f) */";
const MADE = "/*!80019 made.f *//*M! VALUES(fields) */";

function parse(json: string): Record<string, string> {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own error shows a piece of the text.
    throw new SessionCodecError("mysql: the fields of a row are not valid JSON. Repair or delete the row.");
  }
}

/** @throws SessionConfigError if autocommit is off: the row may be an old snapshot. */
export function parseRow([text, principal]: readonly (string | null)[]): StoredRecord {
  // CONCAT() returns NULL for a result longer than max_allowed_packet.
  if (text == null) throw new Error("The row is larger than max_allowed_packet");
  const toVersion = text.indexOf(" ") + 1;
  const toExpiry = text.indexOf(" ", toVersion) + 1;
  const toFields = text.indexOf(" ", toExpiry) + 1;
  if (text.slice(0, toVersion) !== "1 ") throw inTransaction();
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries(parse(text.slice(toFields))))
    fields.set(key.slice(KEY_PREFIX.length), value);
  return {
    version: Number(text.slice(toVersion, toExpiry)),
    expiresAt: Number(text.slice(toExpiry, toFields)),
    ...(principal != null && { principal }),
    fields,
  };
}

/** Parses a row of `list`. */
export function parseListed(row: readonly (string | null)[]): ListedRecord {
  return { id: `${row[2]}`, ...parseRow(row) };
}

/** The statements for one table. @param table The name, quoted. */
export function statementsOf(table: string) {
  const ofLive = (id: string, now: number): string => `WHERE id = ${bytes(id)} AND expires_at > ${now}`;

  return {
    load: (id: string): string => `SELECT ${COLUMNS} FROM ${table} WHERE id = ${bytes(id)}`,

    /** `insertId` is 0 if the record was created, else the version of the live record that has the id. */
    create(id: string, { expiresAt, principal, fields }: NewRecord, now: number): string {
      const replace = (column: string, made: string | number, kept = column): string =>
        `${column} = IF(expires_at <= ${now}, ${made}, ${kept})`;
      const owner = bytesOrNull(principal);
      return [
        `INSERT INTO ${table} (id, principal, version, expires_at, fields)`,
        `VALUES (${bytes(id)}, ${owner}, 1, ${expiresAt}, ${jsonOf(fields)}) ${NAMED}`,
        `ON DUPLICATE KEY UPDATE ${replace("fields", MADE)}, ${replace("principal", owner)}, ${replace("version", 1)},`,
        // Put it last: MySQL assigns from left to right, and the other columns compare with the old expiry.
        replace("expires_at", expiresAt, "expires_at + 0 * LAST_INSERT_ID(version)"),
      ].join(" ");
    },

    /**
     * `insertId` is the version that the live record had, or 0 if there is none. The number of changed rows would not
     * do: for a touch that changes nothing, it depends on the connection's flags.
     */
    commit(id: string, change: Change, now: number): string {
      const { fields, expiresAt, principal, ifVersion } = change;
      const deletes: string[] = [];
      const sets: string[] = [];
      for (const [name, text] of fields) {
        if (text === null) deletes.push(path(name));
        else sets.push(path(name), chars(text));
      }
      let json = "fields";
      if (deletes.length > 0) json = `JSON_REMOVE(${json}, ${deletes.join(", ")})`;
      if (sets.length > 0) json = `JSON_SET(${json}, ${sets.join(", ")})`;
      const assign = (column: string, value: string | number): string =>
        `${column} = ${ifVersion === undefined ? value : `IF(version = ${ifVersion}, ${value}, ${column})`}`;
      const counts = ifVersion === undefined ? Number(raisesVersion(change)) : `(version = ${ifVersion})`;
      return [
        `UPDATE ${table} SET`,
        [
          ...(json === "fields" ? [] : [assign("fields", json)]),
          ...(principal === undefined ? [] : [assign("principal", bytesOrNull(principal))]),
          ...(expiresAt === undefined ? [] : [assign("expires_at", expiresAt)]),
          // Put it last: MySQL assigns from left to right, and the other columns compare with the old version.
          `version = LAST_INSERT_ID(version) + ${counts}`,
        ].join(", "),
        ofLive(id, now),
      ].join(" ");
    },

    lock: (id: string, now: number): string =>
      `SELECT ${COLUMNS} FROM ${table} ${ofLive(id, now)} FOR UPDATE`,

    /** Writes a record that this transaction has locked. */
    replace(id: string, fields: ReadonlyMap<string, string>, { expiresAt, principal }: Change): string {
      return [
        `UPDATE ${table} SET fields = ${jsonOf(fields)}, version = version + 1`,
        ...(principal === undefined ? [] : [`principal = ${bytesOrNull(principal)}`]),
        ...(expiresAt === undefined ? [] : [`expires_at = ${expiresAt}`]),
      ]
        .join(", ")
        .concat(` WHERE id = ${bytes(id)}`);
    },

    destroy: (id: string, now: number): string => `DELETE FROM ${table} ${ofLive(id, now)}`,

    /** Reads without a lock: DELETE ... ORDER BY ... LIMIT would also lock the first live record. */
    expired: ({ after, before, limit }: SweepRange): string =>
      `SELECT id FROM ${table} WHERE expires_at >= ${after} AND expires_at < ${before} ORDER BY expires_at LIMIT ${limit}`,

    /** Forces the primary key: a scan of a small table would lock its live records too. */
    remove: (ids: readonly string[], { after, before }: SweepRange): string =>
      [
        `DELETE gone FROM ${table} AS gone FORCE INDEX (PRIMARY)`,
        `WHERE id IN (${ids.map(bytes).join(", ")}) AND expires_at >= ${after} AND expires_at < ${before}`,
      ].join(" "),

    list({ principal, cursor, limit }: ListQuery, now: number): string {
      const conditions = [
        ...(principal === undefined ? [] : [`principal = ${bytes(principal)}`, `expires_at > ${now}`]),
        `id > ${bytes(cursor ?? "")}`,
      ];
      return `SELECT ${COLUMNS}, id FROM ${table} WHERE ${conditions.join(" AND ")} ORDER BY id LIMIT ${limit}`;
    },
  };
}
