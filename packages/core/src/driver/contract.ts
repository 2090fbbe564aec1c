/**
 * The driver contract: the work of one storage backend for the manager.
 *
 * A driver has five methods, no policy and no clock. Times are integers of epoch milliseconds, and `now` comes from the
 * caller. A record is live while `expiresAt > now`, which the backend decides in its own atomic statement. Ids, field
 * names, values and principals are opaque, and compared byte by byte (R14). SPEC.md has the numbered rules, and
 * `@sessions/conformance` tests them.
 */

/**
 * The outcome of `commit`: `"committed"` if the change is stored, `"gone"` if there is no live record, `"conflict"` if
 * `ifVersion` differs from the record's version. After the last two, nothing was stored.
 */
export type CommitOutcome = "committed" | "gone" | "conflict";

/** The contents of a new record. */
export interface NewRecord {
  /** End of life, in epoch milliseconds: at this instant the record is expired. */
  readonly expiresAt: number;
  /** The user that the session belongs to: 1 to 255 bytes of UTF-8. */
  readonly principal?: string | undefined;
  /** Field name to text; the names match `[A-Za-z0-9_%/-]{1,2048}`, the texts are well-formed, without NUL. */
  readonly fields: ReadonlyMap<string, string>;
}

/** The record that a driver keeps for one session. */
export interface StoredRecord extends NewRecord {
  /** 1 at creation, and 1 more with each commit that has fields, a principal or `ifVersion` (R6). */
  readonly version: number;
}

/** A merge patch over a record. Absent properties and fields stay unchanged. */
export interface Change {
  /** A text sets a field, `null` deletes it, and an absent field stays. */
  readonly fields: ReadonlyMap<string, string | null>;
  /** The new end of life, in epoch milliseconds; one in the past ends the record. */
  readonly expiresAt?: number | undefined;
  /** A text sets the principal, `null` clears it. */
  readonly principal?: string | null | undefined;
  /** Compare-and-set: the version that the record must still have. */
  readonly ifVersion?: number | undefined;
}

/** Which records to remove: `after <= expiresAt < before`, at most `limit` of them. */
export interface SweepRange {
  /** Epoch milliseconds, inclusive. */
  readonly after: number;
  /** Epoch milliseconds, exclusive. */
  readonly before: number;
  /** The most to remove in this call, 1 or more. */
  readonly limit: number;
}

/** One storage backend. Every method rejects with `DriverUnavailableError` if the backend cannot be reached (R11). */
export interface Driver {
  /** The driver's name in lower case, for messages: `"redis"`. */
  readonly name: string;
  /** The most bytes of one record, if that is less than 1 MiB. The manager refuses larger records. */
  readonly maxRecordBytes?: number | undefined;
  /** R1: stores a record with version 1. If a live record has the id, returns `false` and changes nothing. */
  create(id: string, record: NewRecord, now: number): Promise<boolean>;
  /** R2: returns the whole record, strongly consistent, as the caller's own copy. An expired record may be returned. */
  load(id: string): Promise<StoredRecord | undefined>;
  /** R3 to R6: merges a change into a live record, atomically, in one round trip. */
  commit(id: string, change: Change, now: number): Promise<CommitOutcome>;
  /** R7: removes a live record. Returns `true` once, then `false`. */
  destroy(id: string, now: number): Promise<boolean>;
  /** R8: removes expired records by an index, and returns their number. */
  sweep(range: SweepRange): Promise<number>;
}

/** The page of a listing that the caller asks for. */
export interface ListQuery {
  /** Lists only this principal's live records. Without it, every record is listed, and the caller checks the expiry. */
  readonly principal?: string | undefined;
  /** The cursor of the page before; absent for the first page. */
  readonly cursor?: string | undefined;
  /** The number of records that the caller wants, 1 or more. It is a hint. */
  readonly limit: number;
}

/** A record in a listing. */
export interface ListedRecord extends StoredRecord {
  /** The record's id. */
  readonly id: string;
}

/** A page of records. Only a missing cursor ends the listing. */
export interface ListPage {
  /** The records: more or fewer than `limit`, or none. */
  readonly records: readonly ListedRecord[];
  /** Passed to the next call. Only the driver knows its meaning. */
  readonly cursor?: string | undefined;
}

/** A driver that can list its records. */
export interface ListingDriver extends Driver {
  /** Whether the index on principals may lag behind the records. @default false */
  readonly eventualList?: boolean | undefined;
  /** R13: returns one page of the records. A listing has each record at least once, while others come and go. */
  list(query: ListQuery, now: number): Promise<ListPage>;
}

/** A driver whose backend needs tables, indexes or folders. */
export interface ProvisionedDriver extends Driver {
  /** R12: makes missing objects. It is safe to repeat, and to run from many processes at once. */
  setup(): Promise<void>;
  /** R12: returns one sentence for each thing that is missing or wrong; an empty array if all is well. */
  check(): Promise<string[]>;
  /** R12: removes the driver's own objects with all records, and nothing else. */
  teardown(): Promise<void>;
}

/** A driver that opened a client or a file itself. */
export interface ClosableDriver extends Driver {
  /** Closes the client or file that the driver opened, but never a client of the application. */
  close(): Promise<void>;
}
