/**
 * The driver contract: what one storage backend does for the manager, and nothing else.
 *
 * Five methods, no policy, no clock: times are integers of epoch milliseconds, "now" is the caller's, and a record
 * is live while `expiresAt > now`, decided in the backend's own atomic statement. Ids, field names, values and
 * principals are opaque, and compared byte by byte (R14). SPEC.md holds the numbered rules, `@sessions/conformance`
 * proves them.
 */

/** What `commit` did: written; nothing, for there is no live record; nothing, for `ifVersion` differs. */
export type CommitOutcome = "committed" | "gone" | "conflict";

/** What a driver is given to begin a record with. */
export interface NewRecord {
  /** End of life, in epoch milliseconds: at this instant the record is expired. */
  readonly expiresAt: number;
  /** The user that the session belongs to: 1 to 255 bytes of UTF-8. */
  readonly principal?: string | undefined;
  /** Field name to text; the names match `[A-Za-z0-9_%/-]{1,2048}`, the texts are well-formed, without NUL. */
  readonly fields: ReadonlyMap<string, string>;
}

/** What a driver keeps for one session. */
export interface StoredRecord extends NewRecord {
  /** 1 at creation, and 1 more with each commit that has fields, a principal or `ifVersion` (R6). */
  readonly version: number;
}

/** A merge patch over a record. What is absent stays as it is. */
export interface Change {
  /** Text sets a field, `null` deletes it, a field that is not named is kept. */
  readonly fields: ReadonlyMap<string, string | null>;
  /** The new end of life, in epoch milliseconds; one in the past ends the record. */
  readonly expiresAt?: number | undefined;
  /** Text sets it, `null` clears it. */
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

/** One storage backend. Every method rejects with `DriverUnavailableError` where the backend cannot be reached (R11). */
export interface Driver {
  /** Lower case, for messages: `"redis"`. */
  readonly name: string;
  /** The most bytes that one record may hold, where that is less than 1 MiB; the manager heeds it. */
  readonly maxRecordBytes?: number | undefined;
  /** R1: stores a record with version 1, or answers `false` and changes nothing where a live one has that id. */
  create(id: string, record: NewRecord, now: number): Promise<boolean>;
  /** R2: the whole record, strongly consistent, as the caller's own copy; an expired one may still be returned. */
  load(id: string): Promise<StoredRecord | undefined>;
  /** R3 to R6: merges a change into a live record, atomically, in one round trip. */
  commit(id: string, change: Change, now: number): Promise<CommitOutcome>;
  /** R7: removes a live record; `true` once, then `false`. */
  destroy(id: string, now: number): Promise<boolean>;
  /** R8: removes expired records by an index, and answers how many. */
  sweep(range: SweepRange): Promise<number>;
}

/** A page of a listing. */
export interface ListQuery {
  /** Only this principal's live records; without it every record, and the caller judges. */
  readonly principal?: string | undefined;
  /** From the page before; absent for the first page. */
  readonly cursor?: string | undefined;
  /** How many records the caller would like, 1 or more: a hint. */
  readonly limit: number;
}

/** A record in a listing. */
export interface ListedRecord extends StoredRecord {
  /** What it was created under. */
  readonly id: string;
}

/** Records, and where to go on; only a missing cursor ends the listing. */
export interface ListPage {
  /** More or fewer than `limit`, or none. */
  readonly records: readonly ListedRecord[];
  /** For the next page; its meaning is the driver's own. */
  readonly cursor?: string | undefined;
}

/** A driver that can list its records. */
export interface ListingDriver extends Driver {
  /** `true` where the index on principals lags behind the records. */
  readonly eventualList?: boolean | undefined;
  /** R13: pages through the records, each at least once, while others come and go. */
  list(query: ListQuery, now: number): Promise<ListPage>;
}

/** A driver whose backend needs tables, indexes or folders. */
export interface ProvisionedDriver extends Driver {
  /** R12: makes what is missing; safe to repeat and to run from many processes at once. */
  setup(): Promise<void>;
  /** R12: names what is missing or wrong, one sentence each; empty when all is well. */
  check(): Promise<string[]>;
  /** R12: removes the driver's own objects, records included, and nothing else. */
  teardown(): Promise<void>;
}

/** A driver that opened something itself. */
export interface ClosableDriver extends Driver {
  /** Closes what the driver opened; never a client that it was given. */
  close(): Promise<void>;
}
