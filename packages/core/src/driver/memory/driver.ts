import { checkCount, checkOptions } from "../../base/options.ts";
import { mergeFields, raisesVersion } from "../change.ts";
import type { ListedRecord, ListingDriver, ListPage, StoredRecord } from "../contract.ts";
import { createExpiries, type Expiring, minuteOf } from "./expiries.ts";

/** Options of {@link memoryDriver}. */
export interface MemoryDriverOptions {
  /**
   * The most sessions to hold, 1 or more. If one more comes, the least recently used session without a principal is
   * removed. If every session has a principal, the least recently used of all is removed.
   * @default 100_000
   */
  readonly maxSessions?: number | undefined;
}

/** A record, with its neighbours in the order of use and in its minute of expiry. */
interface Kept extends StoredRecord, Expiring<Kept> {
  readonly id: string;
  readonly fields: Map<string, string>;
  version: number;
  expiresAt: number;
  principal: string | undefined;
  /** Numbers the creations, so that a listing finds its place again, whatever is read and written meanwhile. */
  readonly born: number;
  /** The same number for the listing of a principal: when the record got that principal. */
  joined: number;
  staler: Kept | undefined;
  fresher: Kept | undefined;
}

/**
 * How long an expired record stays at least, so that a request on its way still learns how its session ended. R2 asks
 * for an hour only where backend and caller may have different clocks; here they share one.
 */
const LEFTOVER_MS = 5 * 60_000;
/** The records with a principal, or those without one, by their last use. */
interface Order {
  stalest?: Kept | undefined;
  freshest?: Kept | undefined;
}

/** After this many records, let other work run. Code that is not yet optimised takes ten times as long. */
const STRIDE = 32;
/**
 * A Map that grows or shrinks moves all its entries at once. With a million sessions in one Map, that would stop the
 * process for a while. The last shards are half as full as the first, so that they do not all grow at the same moment.
 */
const SHARDS = 256;
const SHARD_BY_PREFIX = Uint8Array.from({ length: 4096 }, (_, prefix) => SHARDS * (2 ** (prefix / 4096) - 1));

/**
 * Keeps sessions in the memory of this process: for development, tests, and sites of one process that may lose them.
 * All sessions are lost at exit. The driver does not keep the process alive. Expired records are removed as new ones
 * come, and by `sweep()`.
 *
 * @throws SessionConfigError An option is unknown, or `maxSessions` is not a whole number of 1 or more.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * const sessions = createSessionManager({ driver: memoryDriver({ maxSessions: 10_000 }) });
 */
export function memoryDriver(options: MemoryDriverOptions = {}): ListingDriver {
  checkOptions("memoryDriver", options, ["maxSessions"]);
  const { maxSessions = 100_000 } = options;
  checkCount("memoryDriver: maxSessions", maxSessions);

  // Each shard is in the order of creation; the order of use is a separate list. With one order for both, a listing
  // whose records are read as they come would never end.
  const shards = Array.from({ length: SHARDS }, () => new Map<string, Kept>());
  const shardOf = (id: string): Map<string, Kept> | undefined =>
    shards[SHARD_BY_PREFIX[Number.parseInt(id.slice(0, 3), 16)] ?? 0];
  const find = (id: string): Kept | undefined => shardOf(id)?.get(id);
  const guests: Order = {};
  const members: Order = {};
  const orderOf = (record: Kept): Order => (record.principal === undefined ? guests : members);
  const principals = new Map<string, Set<Kept>>();
  const expiries = createExpiries<Kept>();
  let size = 0;
  let births = 0;
  /** Expired records that the last search found, up to the minute `inspected`, and that are still to be removed. */
  let leftovers: Iterator<Kept, undefined> = expiries.between(0, 0);
  let inspected = Number.NEGATIVE_INFINITY;
  /** Counts the records of all sweeps and listings, so that many small ones in a row also let other work run. */
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
    const record = find(id);
    return record && record.expiresAt > now ? record : undefined;
  }

  // Each creation checks two expired records, so that they are removed at least as fast as new records come.
  function removeLeftovers(now: number): void {
    for (let seen = 0; seen < 2; seen++) {
      const { value: record } = leftovers.next();
      if (record) {
        // The clock may have been set back meanwhile.
        if (record.expiresAt <= now) remove(record);
        continue;
      }
      // Take whole minutes in which every record is old enough. If live records lack room, do not wait for LEFTOVER_MS.
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
      const leftover = find(id);
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
      const record = find(id);
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
      // Unlink before the principal changes, because that decides which order the record is in.
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
      // Stop at the last record that is there when the listing begins. Otherwise it might never end on a busy site.
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
