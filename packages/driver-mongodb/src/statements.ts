import { Buffer } from "node:buffer";
import type { Change, ListedRecord, NewRecord } from "@sessions/core";
import { raisesVersion } from "@sessions/core/driver-tools";
import { tooLarge } from "./errors.ts";

/** A session's document. */
export interface SessionDocument {
  readonly version: number;
  /** Epoch milliseconds, compared with the caller's `now`. */
  readonly expiresAt: number;
  /** For MongoDB's own removal (the TTL index) alone. */
  readonly removeAt: Date;
  readonly principal?: string;
  readonly fields: Record<string, string>;
}

const HOUR = 3_600_000;
/**
 * The time by which the server's clock may be ahead of this machine's; `check()` names a difference of an hour or more.
 */
const CLOCK_MARGIN = 24 * HOUR;

/**
 * The date at which MongoDB may remove the document itself. MongoDB goes by the server's clock, and `now` and
 * `expiresAt` may be of any other clock. So the date is this machine's time, plus the time that the session has left,
 * an hour for late requests (R2), and a day for the difference between the two machines' clocks.
 */
function removeAt(expiresAt: number, now: number): Date {
  return new Date(Math.min(Date.now() + Math.max(expiresAt - now, 0) + HOUR + CLOCK_MARGIN, LAST_DATE));
}
const LAST_DATE = 8.64e15;

const LARGEST = 16 * 2 ** 20;

/**
 * Refuses fields that certainly do not fit. Sent, they could make the server end the connection, which would look like
 * an outage and be tried again.
 */
function refuseTooLarge(fields: ReadonlyMap<string, string | null>): void {
  let bytes = 0;
  for (const [name, text] of fields) if (text !== null) bytes += name.length + Buffer.byteLength(text);
  if (bytes > LARGEST) throw tooLarge();
}

export function newDocument({ expiresAt, principal, fields }: NewRecord, now: number): SessionDocument {
  refuseTooLarge(fields);
  return {
    version: 1,
    expiresAt,
    removeAt: removeAt(expiresAt, now),
    ...(principal !== undefined && { principal }),
    // Safe as an object: every name contains a slash, so none is a number or `__proto__`.
    fields: Object.fromEntries(fields),
  };
}

/**
 * An update that changes nothing, because MongoDB refuses one without operators. This operator applies only to upserts.
 */
export const NOTHING = { $setOnInsert: { version: 1 } } as const;

/**
 * A change as plain update operators, which every server that speaks MongoDB's protocol has.
 *
 * @param whole All fields of the record after the change, where they are known: then they replace the old ones.
 */
export function updateFor(change: Change, now: number, whole?: ReadonlyMap<string, string>): object {
  const { fields, expiresAt, principal } = change;
  refuseTooLarge(whole ?? fields);
  const set: [string, unknown][] = [];
  const unset: [string, ""][] = [];
  if (whole) set.push(["fields", Object.fromEntries(whole)]);
  for (const [name, text] of whole ? [] : fields) {
    if (text === null) unset.push([`fields.${name}`, ""]);
    else set.push([`fields.${name}`, text]);
  }
  if (expiresAt !== undefined) set.push(["expiresAt", expiresAt], ["removeAt", removeAt(expiresAt, now)]);
  if (principal === null) unset.push(["principal", ""]);
  else if (principal !== undefined) set.push(["principal", principal]);
  const raises = raisesVersion(change);
  if (!raises && set.length === 0) return NOTHING;
  // Older servers refuse an empty operator.
  return {
    ...(set.length > 0 && { $set: Object.fromEntries(set) }),
    ...(unset.length > 0 && { $unset: Object.fromEntries(unset) }),
    ...(raises && { $inc: { version: 1 } }),
  };
}

/** Reads a record from a document; `undefined` where it is no session's. */
export function parseRecord(document: object): ListedRecord | undefined {
  const { _id: id, version, expiresAt, principal, fields }: { [name: string]: unknown } = { ...document };
  if (typeof id !== "string" || typeof version !== "number" || typeof expiresAt !== "number")
    return undefined;
  return {
    id,
    version,
    expiresAt,
    fields: new Map(Object.entries(Object(fields)).map(([name, text]) => [name, String(text)])),
    ...(typeof principal === "string" && { principal }),
  };
}
