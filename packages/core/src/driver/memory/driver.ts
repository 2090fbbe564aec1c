import { checkCount, checkOptions } from "../../base/options.ts";
import { mergeFields, raisesVersion } from "../change.ts";
import type { ListedRecord, ListingDriver, ListPage, StoredRecord } from "../contract.ts";
import { createExpiries, type Expiring, minuteOf } from "./expiries.ts";

/** Options of `memoryDriver`. */
export interface MemoryDriverOptions {
  /**
   * The most sessions to hold, 1 or more. One more, and the least recently used goes; of those that nobody is logged in
   * to, while there are any.
   * @default 100_000
   */
  readonly maxSessions?: number | undefined;
}

/** A record, and its neighbours in the order of use and among those that expire in the same minute. */
interface Kept extends StoredRecord, Expiring<Kept> {
  readonly id: string;
  readonly fields: Map<string, string>;
  version: number;
  expiresAt: number;
  principal: string | undefined;
  /** Grows with every creation, so that a listing can go on where it was whatever is read and written meanwhile. */
  readonly born: number;
  /** The same for the listing of its principal: when it became that principal's. */
  joined: number;
  staler: Kept | undefined;
  fresher: Kept | undefined;
}

/**
 * How long an expired record stays at least, so that a request on its way still learns how its session ended. The hour
 * of rule 2 is for backends whose clock may be another than the caller's; here there is but one.
 */
const LEFTOVER_MS = 5 * 60_000;
/** The records that somebody is logged in to, or the others, by their last use. */
interface Order {
  stalest?: Kept | undefined;
  freshest?: Kept | undefined;
}

/** How many records are looked at before other work runs. Code that has not run yet takes ten times as long. */
const STRIDE = 32;
/**
 * A Map that grows or shrinks moves all it holds at once: a million sessions in one would stop the process meanwhile.
 * The last of the shards are half as full as the first, or all would grow, and shrink, in one moment.
 */
const SHARDS = 256;
const SHARD_BY_PREFIX = Uint8Array.from({ length: 4096 }, (_, prefix) => SHARDS * (2 ** (prefix / 4096) - 1));

/**
 * Keeps sessions in this process: for development, tests, and single processes that may forget. Everything is lost
 * at exit; nothing keeps the process alive. Expired records leave as others come, or by `sweep`.
 *
 * @throws SessionConfigError for an unknown option, or a `maxSessions` that is not a whole number of 1 or more.
 */
export function memoryDriver(options: MemoryDriverOptions = {}): ListingDriver {
  checkOptions("memoryDriver", options, ["maxSessions"]);
  const { maxSessions = 100_000 } = options;
  checkCount("memoryDriver: maxSessions", maxSessions);

  // Each in the order of creation; the order of use is a list of its own. One order for both would let a listing whose
  // records are read as they come go round for ever.
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
  /** What is left of the leftovers that there were when they were last looked for, up to that minute. */
  let leftovers: Iterator<Kept, undefined> = expiries.between(0, 0);
  let inspected = Number.NEGATIVE_INFINITY;
  /** How many records sweeps and listings looked at: small ones, one after another, let other work run too. */
  let looked = 0;

  /** Makes it the principal's. */
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

  // Each creation looks at two of them: leftovers go at least as fast as new records come.
  function removeLeftovers(now: number): void {
    for (let seen = 0; seen < 2; seen++) {
      const { value: record } = leftovers.next();
      if (record) {
        // A clock may have been set back meanwhile.
        if (record.expiresAt <= now) remove(record);
        continue;
      }
      // Whole minutes, whose records have all been there long enough; at once where the living lack the room.
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
      // Before it changes: that decides in which order it is.
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
      // Up to the last that is there when the listing begins: it would not end where others come as fast.
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
