import { createHash } from "node:crypto";
import type { StoredSession } from "@sessions/adopting";
import { fieldName } from "@sessions/core/driver-tools";
import type { Listed } from "@sessions/whole-sessions";

/**
 * An express-session session as a record: one field for each of its top-level keys. The cookie's expiry is the record's
 * expiry, so a touch changes no field.
 */

/** A session in the form that the driver stores. */
export interface Encoded {
  readonly fields: ReadonlyMap<string, string>;
  /** When the cookie ends, in epoch milliseconds; `undefined` if it ends with the browser. */
  readonly expiresAt: number | undefined;
}

/** The fields of a session of express-session begin with it. */
export const PREFIX = "express-session/";
const LONGEST_FIELD = 2048;
/** The most that two readings of the clock in a row can differ, in milliseconds. */
const DRIFT_MS = 100;

/** The field that every session has. Other records in the same backend do not have it. */
export const COOKIE_FIELD: string = `${PREFIX}cookie`;

/** How the sessions of a backend are listed. */
export const LISTED: Listed = {
  name: "expressSessionStore",
  isOurs: ({ fields }) => fields.has(COOKIE_FIELD),
};

/** The record's id: a hash, so that the id in the visitor's cookie cannot be read from the backend. */
export function recordId(sid: string): string {
  return createHash("sha256").update(sid).digest("hex").slice(0, 32);
}

/** The name of a key's field. @throws TypeError for a key that fits no field name. */
export function sessionField(key: string): string {
  // encodeURIComponent would throw a URIError that names no cause.
  if (!key.isWellFormed())
    throw new TypeError(
      "expressSessionStore: a key of the session holds half a surrogate pair. Use well-formed text.",
    );
  const name = fieldName(PREFIX, key);
  if (name.length > LONGEST_FIELD)
    throw new TypeError(
      `expressSessionStore: a key of the session has ${name.length - PREFIX.length} characters after percent-escaping; at most ${LONGEST_FIELD - PREFIX.length} fit. Use a shorter key.`,
    );
  return name;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The cookie's settings as JSON without the expiry, and the expiry beside it. */
export function encodeCookie(cookie: unknown): { text: string; expiresAt: number | undefined } {
  const plain: unknown = JSON.parse(JSON.stringify(cookie ?? null));
  const { expires, ...rest }: { expires?: unknown } = isObject(plain) ? plain : {};
  const time =
    typeof expires === "string" || typeof expires === "number" ? new Date(expires).getTime() : Number.NaN;
  if (Number.isNaN(time)) return { text: JSON.stringify({ ...rest, expires: null }), expiresAt: undefined };
  return { text: JSON.stringify(rest), expiresAt: Math.max(time, 0) };
}

/**
 * A session as fields. Values go through JSON, as in every other store.
 *
 * @throws TypeError for a key that fits no field name, and for a value that JSON cannot hold.
 */
export function encodeSession(session: object): Encoded {
  const { cookie, ...data }: { cookie?: unknown } = session;
  const { text, expiresAt } = encodeCookie(cookie);
  const fields = new Map([[COOKIE_FIELD, text]]);
  for (const [key, value] of Object.entries(data)) {
    // JSON.stringify returns undefined for functions, symbols and undefined.
    const entry: string | undefined = JSON.stringify(value);
    if (entry !== undefined) fields.set(sessionField(key), entry);
  }
  return { fields, expiresAt };
}

/** The fields of a record that belong to an express-session session. */
export function sessionFields(fields: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...fields].filter(([name]) => name.startsWith(PREFIX)));
}

/** The cookie of a record; `undefined` if the record holds no express-session session. */
export function decodeCookie(
  fields: ReadonlyMap<string, string>,
  expiresAt: number,
): StoredSession["cookie"] | undefined {
  const text = fields.get(COOKIE_FIELD);
  if (text === undefined) return undefined;
  const kept: unknown = JSON.parse(text);
  return { originalMaxAge: null, expires: new Date(expiresAt), ...(isObject(kept) && kept) };
}

/** The data of a record by its keys, as JSON. */
export function textsIn(fields: ReadonlyMap<string, string>): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, text] of fields)
    if (name.startsWith(PREFIX) && name !== COOKIE_FIELD)
      texts.set(decodeURIComponent(name.slice(PREFIX.length)), text);
  return texts;
}

/** A new session object from a record; `undefined` if the record holds no express-session session. */
export function decodeSession(
  fields: ReadonlyMap<string, string>,
  expiresAt: number,
): StoredSession | undefined {
  const cookie = decodeCookie(fields, expiresAt);
  if (!cookie) return undefined;
  const data = [...textsIn(fields)].map(([key, text]): [string, unknown] => [key, JSON.parse(text)]);
  return { ...Object.fromEntries(data), cookie };
}

/** Splits a cookie into `originalMaxAge` and the rest. */
function splitAge(text: string): { age: number; rest: string } {
  const { originalMaxAge, ...rest }: { originalMaxAge?: unknown } = Object(JSON.parse(text));
  return {
    age: typeof originalMaxAge === "number" ? originalMaxAge : Number.NaN,
    rest: JSON.stringify(rest),
  };
}

/**
 * Whether two cookies differ only by rounding. express-session computes `originalMaxAge` again for each request, from
 * two readings of the clock, and is a millisecond off if the clock advances between them.
 */
export function isDrift(before: string, after: string): boolean {
  const [old, fresh] = [splitAge(before), splitAge(after)];
  return old.rest === fresh.rest && Math.abs(old.age - fresh.age) <= DRIFT_MS;
}

/** The merge patch that turns `before` into `after`. */
export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): Map<string, string | null> {
  const changes = new Map<string, string | null>();
  for (const [name, text] of after) {
    const old = before.get(name);
    if (old !== text && !(name === COOKIE_FIELD && old !== undefined && isDrift(old, text)))
      changes.set(name, text);
  }
  for (const name of before.keys()) if (!after.has(name)) changes.set(name, null);
  return changes;
}
