import { createHash } from "node:crypto";

/**
 * How a session of express-session lies in a record: a field for each of its top-level keys. The expiry of its cookie
 * is the record's, so that a touch changes no field.
 */

/** How a store says that it has done what it was asked, or why not. */
export type Done = (error?: unknown) => void;

/** A session as a store answers it: its data by key, and its cookie's settings. */
export interface StoredSession {
  cookie: {
    /** Of `maxAge`, as it was set; `null` where the cookie ends with the browser. */
    originalMaxAge: number | null;
    /** When the session ends; `null` where its cookie ends with the browser. */
    expires?: Date | null | undefined;
  };
}

/** A session on its way to the backend. */
export interface Encoded {
  readonly fields: ReadonlyMap<string, string>;
  /** When its cookie ends; `undefined` where the cookie ends with the browser. */
  readonly expiresAt: number | undefined;
}

const PREFIX = "express-session/";
const LONGEST_FIELD = 2048;
/** Two looks at the clock, one right after the other, are not further apart. */
const DRIFT_MS = 100;

/** The field that every session has, and nothing else that may lie in the same backend. */
export const COOKIE_FIELD: string = `${PREFIX}cookie`;

/** The record's id: what the visitor's cookie carries cannot be found out from it. */
export function recordId(sid: string): string {
  return createHash("sha256").update(sid).digest("hex").slice(0, 32);
}

function fieldName(key: string): string {
  // encodeURIComponent would throw, and show nothing of use.
  if (!key.isWellFormed()) throw new TypeError("A session's key must be well-formed text");
  const escaped = encodeURIComponent(key).replace(
    /[.!~*'()]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  if (PREFIX.length + escaped.length > LONGEST_FIELD)
    throw new TypeError(`A session's key must be shorter than ${key.length} characters`);
  return PREFIX + escaped;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What JSON makes of a cookie, without its expiry, and the expiry. */
function encodeCookie(cookie: unknown): { text: string; expiresAt: number | undefined } {
  const plain: unknown = JSON.parse(JSON.stringify(cookie ?? null));
  const { expires, ...rest }: { expires?: unknown } = isObject(plain) ? plain : {};
  const time =
    typeof expires === "string" || typeof expires === "number" ? new Date(expires).getTime() : Number.NaN;
  if (Number.isNaN(time)) return { text: JSON.stringify({ ...rest, expires: null }), expiresAt: undefined };
  return { text: JSON.stringify(rest), expiresAt: Math.max(time, 0) };
}

/**
 * A session as fields, by JSON, as every other store does it.
 *
 * @throws TypeError for a key that no field can have, and for what JSON cannot hold.
 */
export function encodeSession(session: object): Encoded {
  const { cookie, ...data }: { cookie?: unknown } = session;
  const { text, expiresAt } = encodeCookie(cookie);
  const fields = new Map([[COOKIE_FIELD, text]]);
  for (const [key, value] of Object.entries(data)) {
    // Undefined for what JSON leaves out: functions, symbols, undefined.
    const entry: string | undefined = JSON.stringify(value);
    if (entry !== undefined) fields.set(fieldName(key), entry);
  }
  return { fields, expiresAt };
}

/** The fields of a record that are a session's. */
export function sessionFields(fields: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...fields].filter(([name]) => name.startsWith(PREFIX)));
}

/** The session in a record, of its own; `undefined` where the record is something else's. */
export function decodeSession(
  fields: ReadonlyMap<string, string>,
  expiresAt: number,
): StoredSession | undefined {
  const text = fields.get(COOKIE_FIELD);
  if (text === undefined) return undefined;
  const kept: unknown = JSON.parse(text);
  const cookie = { originalMaxAge: null, expires: new Date(expiresAt), ...(isObject(kept) && kept) };
  const data = [...sessionFields(fields)]
    .filter(([name]) => name !== COOKIE_FIELD)
    .map(([name, entry]): [string, unknown] => [
      decodeURIComponent(name.slice(PREFIX.length)),
      JSON.parse(entry),
    ]);
  return { ...Object.fromEntries(data), cookie };
}

/** `originalMaxAge` apart, and the rest of a cookie. */
function splitAge(text: string): { age: number; rest: string } {
  const { originalMaxAge, ...rest }: { originalMaxAge?: unknown } = Object(JSON.parse(text));
  return {
    age: typeof originalMaxAge === "number" ? originalMaxAge : Number.NaN,
    rest: JSON.stringify(rest),
  };
}

/**
 * Whether two cookies differ by nothing but what express-session gets wrong: it works `originalMaxAge` out anew at each
 * request from two looks at the clock, and loses a millisecond where that goes on between them.
 */
function isDrift(before: string, after: string): boolean {
  const [old, fresh] = [splitAge(before), splitAge(after)];
  return old.rest === fresh.rest && Math.abs(old.age - fresh.age) <= DRIFT_MS;
}

/** What must be written so that `before` becomes `after`. */
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
