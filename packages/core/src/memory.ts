import type { ListedRecord, ListingDriver, ListPage, StoredRecord } from "./driver.ts";
import { createExpiries, type Expiring, minuteOf } from "./memory-expiries.ts";

/** Options of `memoryDriver`. */
export interface MemoryDriverOptions {
  /**
   * The most sessions to hold; one more, and the least recently used goes. 1 or more.
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
  staler: Kept | undefined;
  fresher: Kept | undefined;
}

/**
 * How long an expired record stays at least, so that a request on its way still learns how its session ended. The hour
 * of rule 2 is for backends whose clock may be another than the caller's; here there is but one.
 */
const LEFTOVER_MS = 5 * 60_000;
/** How many records `sweep` looks at before it lets other work run. Code that has not run yet takes ten times as long. */
const SWEEP_STRIDE = 32;
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
 * @throws TypeError where `maxSessions` is not a whole number of 1 or more.
 */
export function memoryDriver(options: MemoryDriverOptions = {}): ListingDriver {
  const { maxSessions = 100_000 } = options;
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1)
    throw new TypeError(`memoryDriver: maxSessions must be a whole number of 1 or more, not ${maxSessions}`);

  // Each in the order of creation; the order of use is a list of its own. One order for both would let a listing whose
  // records are read as they come go round for ever.
  const shards = Array.from({ length: SHARDS }, () => new Map<string, Kept>());
  const shardOf = (id: string): Map<string, Kept> | undefined =>
    shards[SHARD_BY_PREFIX[Number.parseInt(id.slice(0, 3), 16)] ?? 0];
  let stalest: Kept | undefined;
  let freshest: Kept | undefined;
  const principals = new Map<string, Set<Kept>>();
  const expiries = createExpiries<Kept>();
  let size = 0;
  let births = 0;
  /** What is left of the leftovers that there were in this minute. */
  let leftovers: Iterator<Kept, undefined> = expiries.between(0, 0);
  let inspected = 0;
  /** How many records sweeps looked at: small batches, one after another, let other work run too. */
  let looked = 0;

  function enlist(record: Kept, principal: string | undefined): void {
    record.principal = principal;
    if (principal === undefined) return;
    const theirs = principals.get(principal);
    if (theirs) theirs.add(record);
    else principals.set(principal, new Set([record]));
  }

  function unlist(record: Kept): void {
    if (record.principal === undefined) return;
    const theirs = principals.get(record.principal);
    theirs?.delete(record);
    if (theirs?.size === 0) principals.delete(record.principal);
  }

  function unlink({ staler, fresher }: Kept): void {
    if (staler) staler.fresher = fresher;
    else stalest = fresher;
    if (fresher) fresher.staler = staler;
    else freshest = staler;
  }

  function link(record: Kept): void {
    record.staler = freshest;
    record.fresher = undefined;
    if (freshest) freshest.fresher = record;
    else stalest = record;
    freshest = record;
  }

  function use(record: Kept): void {
    if (record === freshest) return;
    unlink(record);
    link(record);
  }

  function remove(record: Kept): void {
    shardOf(record.id)?.delete(record.id);
    unlist(record);
    unlink(record);
    expiries.remove(record);
    size--;
  }

  function live(id: string, now: number): Kept | undefined {
    const record = shardOf(id)?.get(id);
    return record && record.expiresAt > now ? record : undefined;
  }

  // Each creation looks at two of them: leftovers go at least as fast as new records come.
  function removeLeftovers(now: number): void {
    for (let looked = 0; looked < 2; looked++) {
      const { value: record } = leftovers.next();
      if (record) {
        // A clock may have been set back meanwhile.
        if (record.expiresAt + LEFTOVER_MS <= now) remove(record);
        continue;
      }
      const minute = minuteOf(now);
      if (minute === inspected) return;
      inspected = minute;
      // Whole minutes, whose records have all been there long enough.
      leftovers = expiries.between(Number.NEGATIVE_INFINITY, now - LEFTOVER_MS - 60_000);
    }
  }

  const copy = ({ version, expiresAt, principal, fields }: Kept): StoredRecord =>
    principal === undefined
      ? { version, expiresAt, fields: new Map(fields) }
      : { version, expiresAt, principal, fields: new Map(fields) };

  return {
    name: "memory",

    async create(id, { expiresAt, principal, fields }, now) {
      const leftover = shardOf(id)?.get(id);
      if (leftover && leftover.expiresAt > now) return false;
      if (leftover) remove(leftover);
      removeLeftovers(now);
      const record: Kept = {
        id,
        born: ++births,
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
      link(record);
      expiries.add(record);
      enlist(record, principal);
      if (++size > maxSessions && stalest) remove(stalest);
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
      for (const [name, text] of change.fields) {
        if (text === null) record.fields.delete(name);
        else record.fields.set(name, text);
      }
      if (change.principal !== undefined) {
        unlist(record);
        enlist(record, change.principal ?? undefined);
      }
      if (change.expiresAt !== undefined) expiries.move(record, change.expiresAt);
      if (change.fields.size > 0 || change.principal !== undefined || change.ifVersion !== undefined)
        record.version++;
      use(record);
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
        if (++looked % SWEEP_STRIDE === 0) await new Promise(setImmediate);
      }
      return removed;
    },

    async list({ principal, cursor = "0 0", limit }, now): Promise<ListPage> {
      const found: ListedRecord[] = [];
      if (principal !== undefined) {
        for (const record of principals.get(principal) ?? [])
          if (record.expiresAt > now) found.push({ id: record.id, ...copy(record) });
        return { records: found };
      }
      let [index = 0, last = 0] = cursor.split(" ").map(Number);
      for (; index < SHARDS; index++) {
        for (const record of shards[index]?.values() ?? []) {
          if (record.born <= last) continue;
          if (found.length === limit) return { records: found, cursor: `${index} ${last}` };
          found.push({ id: record.id, ...copy(record) });
          last = record.born;
        }
        last = 0;
      }
      return { records: found };
    },
  };
}
