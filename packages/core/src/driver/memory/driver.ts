import { checkCount, checkOptions } from "../../base/options.ts";
import { mergeFields, raisesVersion } from "../change.ts";
import type { ListedRecord, ListingDriver, ListPage, StoredRecord } from "../contract.ts";
import { createExpiries, type Expiring, minuteOf } from "./expiries.ts";

/** Options of {@link memoryDriver}. */
export interface MemoryDriverOptions {
  /**
   * The most sessions to hold, 1 or more. A session over the limit replaces the least recently used one without a
   * principal; if all have a principal, the least recently used of all.
   * @default 100_000
   */
  readonly maxSessions?: number | undefined;
}

/** A record with its neighbours in the order of use, and among the records that expire in the same minute. */
interface Kept extends StoredRecord, Expiring<Kept> {
  readonly id: string;
  readonly fields: Map<string, string>;
  version: number;
  expiresAt: number;
  principal: string | undefined;
  /** The record's number in the order of creation. A listing goes on from it, whatever is read and written in between. */
  readonly born: number;
  /** The record's number in the listing of its principal: it grows when the record gets a principal. */
  joined: number;
  staler: Kept | undefined;
  fresher: Kept | undefined;
}

/**
 * How long an expired record stays at least, so that a request on its way still learns how its session ended. Other
 * backends keep it for an hour, because their clock may differ from the caller's. Here there is only one clock.
 */
const LEFTOVER_MS = 5 * 60_000;

/** The records with a principal, or those without one, in the order of their last use. */
interface Order {
  stalest?: Kept | undefined;
  freshest?: Kept | undefined;
}

/** How many records a sweep or a listing looks at before other work runs. Cold code takes ten times as long. */
const STRIDE = 32;
/**
 * A Map that grows or shrinks copies all entries at once, so one Map of a million sessions would block the process. Many
 * shards avoid that. The last shards are half as full as the first, so that they do not all grow at the same moment.
 */
const SHARDS = 256;
const SHARD_BY_PREFIX = Uint8Array.from({ length: 4096 }, (_, prefix) => SHARDS * (2 ** (prefix / 4096) - 1));

/**
 * Keeps sessions in this process: for development, tests, and single processes that may lose their sessions. All sessions
 * are lost at exit, and no timer keeps the process alive. New records and `sweep` remove expired ones.
 *
 * @throws SessionConfigError for an unknown option, or a `maxSessions` that is not a whole number of 1 or more.
 * @example
 * const sessions = createSessionManager({ driver: memoryDriver({ maxSessions: 10_000 }) });
 */
export function memoryDriver(options: MemoryDriverOptions = {}): ListingDriver {
  checkOptions("memoryDriver", options, ["maxSessions"]);
  const { maxSessions = 100_000 } = options;
  checkCount("memoryDriver: maxSessions", maxSessions);

  // Each shard is in the order of creation. The order of use is a separate list: with one order for both, a listing would
  // never end if each listed record is then read.
  const shards = Array.from({ length: SHARDS }, () => new Map<string, Kept>());
  const shardOf = (id: string): Map<string, Kept> | undefined =>
    shards[SHARD_BY_PREFIX[Number.parseInt(id.slice(0, 3), 16)] ?? 0];
  const guests: Order = {};
  const members: Order = {};
  const orderOf = (record: Kept): Order => (record.principal === undefined ? guests : members);
  const principals = new Map<string, Set<Kept>>();
  const expiries = createExpiries<Kept>();
  let size = 0;
  let births = 0;
  /** The expired records still to remove, as found by the last search, which went up to the minute `inspected`. */
  let leftovers: Iterator<Kept, undefined> = expiries.between(0, 0);
  let inspected = Number.NEGATIVE_INFINITY;
  /** How many records all sweeps and listings looked at. Counted together, so that many small ones also let others run. */
  let looked = 0;

  /** Gives the record a principal. */
  function enlist(record: Kept, principal: string | undefined): void {
    record.principal = principal;
    if (principal === undefined) return;
    record.joined = ++births;
    const theirs = principals.get(principal) ?? new Set();
    principals.set(principal, theirs.add(record));
  }

  function unlist(record: Kept): void {
    if (record.principal === undefined) return;
    const theirs = principals.get(record.principal);
    theirs?.delete(record);
    if (theirs?.size === 0) principals.delete(record.principal);
  }

  function unlink(record: Kept): void {
    const order = orderOf(record);
    const { staler, fresher } = record;
    if (staler) staler.fresher = fresher;
    else order.stalest = fresher;
    if (fresher) fresher.staler = staler;
    else order.freshest = staler;
  }

  function link(record: Kept): void {
    const order = orderOf(record);
    record.staler = order.freshest;
    record.fresher = undefined;
    if (order.freshest) order.freshest.fresher = record;
    else order.stalest = record;
    order.freshest = record;
  }

  function use(record: Kept): void {
    if (!record.fresher) return;
    unlink(record);
    link(record);
  }

  function remove(record: Kept): void {
    shardOf(record.id)?.delete(record.id);
    unlink(record);
    unlist(record);
    expiries.remove(record);
    size--;
  }

  function live(id: string, now: number): Kept | undefined {
    const record = shardOf(id)?.get(id);
    return record && record.expiresAt > now ? record : undefined;
  }

  // Each creation looks at two expired records, so they leave at least as fast as new records come.
  function removeLeftovers(now: number): void {
    for (let seen = 0; seen < 2; seen++) {
      const { value: record } = leftovers.next();
      if (record) {
        // The clock may have been set back since the search.
        if (record.expiresAt <= now) remove(record);
        continue;
      }
      // Only whole minutes, in which all records have stayed long enough. Without a delay if there is no room left.
      const before = now - (size < maxSessions ? LEFTOVER_MS : 0) - 60_000;
      if (minuteOf(before) <= inspected) return;
      inspected = minuteOf(before);
      leftovers = expiries.between(Number.NEGATIVE_INFINITY, before);
    }
  }

  const copy = ({ version, expiresAt, principal, fields }: Kept): StoredRecord => ({
    version,
    expiresAt,
    fields: new Map(fields),
    ...(principal !== undefined && { principal }),
  });

  return {
    name: "memory",

    async create(id, { expiresAt, principal, fields }, now) {
      if (live(id, now)) return false;
      const leftover = shardOf(id)?.get(id);
      if (leftover) remove(leftover);
      removeLeftovers(now);
      const record: Kept = {
        id,
        born: ++births,
        joined: 0,
        version: 1,
        expiresAt,
        principal: undefined,
        fields: new Map(fields),
        staler: undefined,
        fresher: undefined,
        previous: undefined,
        next: undefined,
      };
      shardOf(id)?.set(id, record);
      enlist(record, principal);
      link(record);
      expiries.add(record);
      const last = guests.stalest ?? members.stalest;
      if (++size > maxSessions && last) remove(last);
      return true;
    },

    async load(id) {
      const record = shardOf(id)?.get(id);
      if (!record) return undefined;
      use(record);
      return copy(record);
    },

    async commit(id, change, now) {
      const record = live(id, now);
      if (!record) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
      mergeFields(record.fields, change.fields);
      const principal = change.principal === undefined ? record.principal : (change.principal ?? undefined);
      // Unlink before the principal changes, because the principal decides which order the record is in.
      unlink(record);
      if (principal !== record.principal) {
        unlist(record);
        enlist(record, principal);
      }
      link(record);
      if (change.expiresAt !== undefined) expiries.move(record, change.expiresAt);
      if (raisesVersion(change)) record.version++;
      return "committed";
    },

    async destroy(id, now) {
      const record = live(id, now);
      if (record) remove(record);
      return record !== undefined;
    },

    async sweep({ after, before, limit }) {
      let removed = 0;
      for (const record of expiries.between(after, before)) {
        if (record.expiresAt >= after && record.expiresAt < before) {
          remove(record);
          if (++removed >= limit) break;
        }
        if (++looked % STRIDE === 0) await new Promise(setImmediate);
      }
      return removed;
    },

    async list({ principal, cursor, limit }, now): Promise<ListPage> {
      const records: ListedRecord[] = [];
      const parts = principal === undefined ? shards : [principals.get(principal)];
      // List up to the last record at the beginning: otherwise the listing might never end while new records come.
      let [index = 0, last = 0, end = births] = cursor?.split(" ").map(Number) ?? [];
      for (; index < parts.length; index++) {
        for (const record of parts[index]?.values() ?? []) {
          const at = principal === undefined ? record.born : record.joined;
          if (at <= last) continue;
          if (at > end) break;
          if (records.length === limit) return { records, cursor: `${index} ${last} ${end}` };
          if (principal === undefined || record.expiresAt > now)
            records.push({ id: record.id, ...copy(record) });
          last = at;
          if (++looked % STRIDE === 0) await new Promise(setImmediate);
        }
        last = 0;
      }
      return { records };
    },
  };
}
