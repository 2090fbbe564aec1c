/**
 * The driver contract: the work of one storage backend for the manager.
 *
 * A driver has five methods, no policy and no clock. Times are whole epoch milliseconds, and the caller passes `now`. A
 * record is live while `expiresAt > now`; the backend's own atomic statement decides it. Ids, field names, values and
 * principals are opaque and compared byte by byte (R14). SPEC.md has the numbered rules; `@sessions/conformance` tests
 * them.
 */

/**
 * What {@link Driver.commit} did: it wrote the change, found no live record, or found another version than `ifVersion`.
 */
export type CommitOutcome = "committed" | "gone" | "conflict";

/** A record that a driver is to create. */
export interface NewRecord {
  /** In epoch milliseconds. From this time on the record is expired. */
  readonly expiresAt: number;
  /** The user that the session belongs to: 1 to 255 bytes of UTF-8. */
  readonly principal?: string | undefined;
  /** Texts by field name. Names match `[A-Za-z0-9_%/-]{1,2048}`; texts are well-formed and have no NUL. */
  readonly fields: ReadonlyMap<string, string>;
}

/** The record that a driver keeps for one session. */
export interface StoredRecord extends NewRecord {
  /** 1 at creation. Each commit with fields, a principal or `ifVersion` adds 1 (R6). */
  readonly version: number;
}

/** A merge patch over a record. Absent properties and fields stay as they are. */
export interface Change {
  /** A text sets a field, `null` deletes it. Fields that are not named stay. */
  readonly fields: ReadonlyMap<string, string | null>;
  /** The new expiry, in epoch milliseconds. A time in the past ends the record. */
  readonly expiresAt?: number | undefined;
  /** A text sets the principal, `null` removes it. */
  readonly principal?: string | null | undefined;
  /** Compare-and-set: the version that the record must still have. */
  readonly ifVersion?: number | undefined;
}

/** The records that a sweep removes: `after <= expiresAt < before`, at most `limit` of them. */
export interface SweepRange {
  /** Epoch milliseconds, inclusive. */
  readonly after: number;
  /** Epoch milliseconds, exclusive. */
  readonly before: number;
  /** The most records to remove in this call, 1 or more. */
  readonly limit: number;
}

/**
 * One storage backend. Every method rejects with `DriverUnavailableError` if the backend cannot be reached (R11).
 *
 * @example
 * // A wrapper names every method, so that it also works for a driver that is a class.
 * export const logged = (inner: Driver): Driver => ({
 *   name: inner.name,
 *   maxRecordBytes: inner.maxRecordBytes,
 *   maxFieldsPerCommit: inner.maxFieldsPerCommit,
 *   volatile: inner.volatile,
 *   create: (id, record, now) => inner.create(id, record, now),
 *   load(id) {
 *     console.log(`load ${id}`);
 *     return inner.load(id);
 *   },
 *   commit: (id, change, now) => inner.commit(id, change, now),
 *   destroy: (id, now) => inner.destroy(id, now),
 *   sweep: (range) => inner.sweep(range),
 * });
 */
export interface Driver {
  /** The driver's name in lower case, for messages: `"redis"`. */
  readonly name: string;
  /** The most bytes that one record may hold, if that is less than 1 MiB. The manager keeps to it. */
  readonly maxRecordBytes?: number | undefined;
  /**
   * The most fields that one `create` or `commit` takes, 100 or more, if there is such a limit. The manager keeps every
   * session within it, so that each login, rotation and logout stays one commit.
   */
  readonly maxFieldsPerCommit?: number | undefined;
  /** `true` if the backend evicts records: it may log users out, and never in again. A record vanishes whole. */
  readonly volatile?: boolean | undefined;
  /** R1: stores a record with version 1. If a live record has the id, returns `false` and changes nothing. */
  create(id: string, record: NewRecord, now: number): Promise<boolean>;
  /** R2: returns a copy of the whole record, strongly consistent. It may also return an expired record. */
  load(id: string): Promise<StoredRecord | undefined>;
  /** R3 to R6: merges a change into a live record, atomically, in one round trip. */
  commit(id: string, change: Change, now: number): Promise<CommitOutcome>;
  /** R7: removes a live record. Returns `true` the first time, then `false`. */
  destroy(id: string, now: number): Promise<boolean>;
  /** R8: removes expired records by an index, and returns how many. */
  sweep(range: SweepRange): Promise<number>;
}

/** Which page of a listing to return. */
export interface ListQuery {
  /**
   * Only this principal's live records. Without it, every record; the caller then skips those that are not live. The
   * caller of a driver with `principalsOnly` always gives it.
   */
  readonly principal?: string | undefined;
  /** The cursor of the page before; absent for the first page. */
  readonly cursor?: string | undefined;
  /** How many records the caller wants, 1 or more. It is a hint. */
  readonly limit: number;
}

/** A record in a listing. */
export interface ListedRecord extends StoredRecord {
  /** The id that it was created with. */
  readonly id: string;
}

/** One page of a listing. Only a page without a cursor ends the listing. */
export interface ListPage {
  /** May be more or fewer than `limit`, or none. */
  readonly records: readonly ListedRecord[];
  /** For the next page. Only the driver knows its meaning. */
  readonly cursor?: string | undefined;
}

/** A driver that can list its records. */
export interface ListingDriver extends Driver {
  /** `true` if the index on principals lags behind the records. */
  readonly eventualList?: boolean | undefined;
  /** `true` if `list` needs a principal, so that nobody can list or log out everyone. */
  readonly principalsOnly?: boolean | undefined;
  /** R13: pages through the records, each at least once, even while others are created and removed. */
  list(query: ListQuery, now: number): Promise<ListPage>;
}

/** A driver whose backend needs tables, indexes or folders. */
export interface ProvisionedDriver extends Driver {
  /** R12: creates what is missing. Safe to repeat, and to run from many processes at once. */
  setup(): Promise<void>;
  /** R12: returns one sentence for each thing that is missing or wrong; an empty list if all is well. */
  check(): Promise<string[]>;
  /** R12: removes the driver's own objects with their records, and nothing else. */
  teardown(): Promise<void>;
}

/** A driver that opened its own client. */
export interface ClosableDriver extends Driver {
  /** Closes the client that the driver opened. It never closes a client of the application. */
  close(): Promise<void>;
}
