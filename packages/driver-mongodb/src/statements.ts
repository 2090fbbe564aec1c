import { Buffer } from "node:buffer";
import { type Change, type ListedRecord, type NewRecord, SessionTooLargeError } from "@sessions/core";
import { raisesVersion } from "@sessions/core/driver-tools";

/**
 * A session's document. `expiresAt` is a number, compared with the caller's now. `removeAt` is for MongoDB's own
 * removal (the TTL index) and nothing else.
 */
export interface SessionDocument {
  readonly version: number;
  readonly expiresAt: number;
  readonly removeAt: Date;
  readonly principal?: string;
  readonly fields: Record<string, string>;
}

const HOUR = 3_600_000;
/** How far the server's clock may be ahead of this machine's; `check()` names a difference of more than an hour. */
const CLOCK_MARGIN = 24 * HOUR;

/**
 * When MongoDB may remove it by itself: by the server's clock, so neither the caller's `now`, which may be any, nor
 * `expiresAt`, which is counted by it, can be the measure. What they leave is added to this machine's time, with an hour
 * for late requests (R2) and a day for the difference between two machines' clocks.
 */
function removeAt(expiresAt: number, now: number): Date {
  return new Date(Math.min(Date.now() + Math.max(expiresAt - now, 0) + HOUR + CLOCK_MARGIN, LAST_DATE));
}
const LAST_DATE = 8.64e15;

const LARGEST = 16 * 2 ** 20;

/**
 * What certainly does not fit is not sent: a server may end the connection instead of answering, which would look like
 * an outage, and be tried again.
 */
function refuseTooLarge(fields: ReadonlyMap<string, string | null>): void {
  let bytes = 0;
  for (const [name, text] of fields) if (text !== null) bytes += name.length + Buffer.byteLength(text);
  if (bytes > LARGEST)
    throw new SessionTooLargeError("mongodb: a session must fit into 16 MB; nothing was changed");
}

export function newDocument({ expiresAt, principal, fields }: NewRecord, now: number): SessionDocument {
  refuseTooLarge(fields);
  return {
    version: 1,
    expiresAt,
    removeAt: removeAt(expiresAt, now),
    ...(principal !== undefined && { principal }),
    // Own properties, `__proto__/x` and numbers included; every name has a slash, so none is a number or `__proto__`.
    fields: Object.fromEntries(fields),
  };
}

/** An update that changes nothing: with no operator at all it would be refused. It applies to upserts alone. */
export const NOTHING = { $setOnInsert: { version: 1 } } as const;

/**
 * A merge patch as plain update operators, which every server that speaks MongoDB's protocol has. `whole` is what the
 * fields are to be altogether, where that is known.
 */
export function updateOf(
  change: Change,
  now: number,
  whole?: ReadonlyMap<string, string>,
): object {
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
  const counts = raisesVersion(change);
  if (!counts && set.length === 0) return NOTHING;
  // An empty operator is refused by older servers.
  return {
    ...(set.length > 0 && { $set: Object.fromEntries(set) }),
    ...(unset.length > 0 && { $unset: Object.fromEntries(unset) }),
    ...(counts && { $inc: { version: 1 } }),
  };
}

/** A record from a document; a document that is not ours is none. */
export function recordOf(document: object): ListedRecord | undefined {
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
