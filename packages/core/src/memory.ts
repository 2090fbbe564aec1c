import type { ListedRecord, ListingDriver, ListPage, StoredRecord } from "./driver.ts";

/** Options of `memoryDriver`. */
export interface MemoryDriverOptions {
  /**
   * The most sessions to hold; one more, and the least recently used goes. 1 or more.
   * @default 100_000
   */
  readonly maxSessions?: number | undefined;
}

interface Kept extends StoredRecord {
  readonly fields: Map<string, string>;
  /** Grows with every creation, so that a listing can go on where it was whatever is read and written meanwhile. */
  readonly born: number;
}

/**
 * How long an expired record stays at least, so that a request on its way still learns how its session ended. The hour
 * of rule 2 is for backends whose clock may be another than the caller's; here there is but one.
 */
const LEFTOVER_MS = 5 * 60_000;
/** How many records `sweep` looks at before it lets other work run. */
const SWEEP_STRIDE = 10_000;

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

  // In the order of creation; `used` in the order of use. One order for both would let a listing whose records are
  // read as they come go round for ever.
  const records = new Map<string, Kept>();
  const used = new Set<string>();
  const principals = new Map<string, Set<string>>();
  let births = 0;
  let inspected = records.entries();

  function unlist(id: string): void {
    const principal = records.get(id)?.principal;
    if (principal === undefined) return;
    const ids = principals.get(principal);
    ids?.delete(id);
    if (ids?.size === 0) principals.delete(principal);
  }

  function use(id: string): void {
    used.delete(id);
    used.add(id);
  }

  function remove(id: string): void {
    unlist(id);
    records.delete(id);
    used.delete(id);
  }

  function put(id: string, record: Kept): void {
    unlist(id);
    records.set(id, record);
    use(id);
    if (record.principal === undefined) return;
    const ids = principals.get(record.principal);
    if (ids) ids.add(id);
    else principals.set(record.principal, new Set([id]));
  }

  function live(id: string, now: number): Kept | undefined {
    const record = records.get(id);
    return record && record.expiresAt > now ? record : undefined;
  }

  // Each creation looks at two old records: leftovers go at least as fast as new records come.
  function removeLeftovers(now: number): void {
    for (let looked = 0; looked < 2; looked++) {
      const next = inspected.next();
      if (next.done) {
        inspected = records.entries();
        return;
      }
      const [id, record] = next.value;
      if (record.expiresAt + LEFTOVER_MS <= now) remove(id);
    }
  }

  const copy = ({ born: _, ...record }: Kept): StoredRecord => ({
    ...record,
    fields: new Map(record.fields),
  });

  return {
    name: "memory",

    async create(id, { expiresAt, principal, fields }, now) {
      if (live(id, now)) return false;
      remove(id);
      removeLeftovers(now);
      put(id, {
        born: ++births,
        version: 1,
        expiresAt,
        fields: new Map(fields),
        ...(principal !== undefined && { principal }),
      });
      for (const oldest of used) {
        if (records.size <= maxSessions) break;
        remove(oldest);
      }
      return true;
    },

    async load(id) {
      const record = records.get(id);
      if (!record) return undefined;
      use(id);
      return copy(record);
    },

    async commit(id, change, now) {
      const record = live(id, now);
      if (!record) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== record.version) return "conflict";
      const { fields } = record;
      for (const [name, text] of change.fields) {
        if (text === null) fields.delete(name);
        else fields.set(name, text);
      }
      const principal = change.principal === undefined ? record.principal : (change.principal ?? undefined);
      const counts =
        change.fields.size > 0 || change.principal !== undefined || change.ifVersion !== undefined;
      put(id, {
        born: record.born,
        version: record.version + (counts ? 1 : 0),
        expiresAt: change.expiresAt ?? record.expiresAt,
        fields,
        ...(principal !== undefined && { principal }),
      });
      return "committed";
    },

    async destroy(id, now) {
      if (!live(id, now)) return false;
      remove(id);
      return true;
    },

    async sweep({ after, before, limit }) {
      let removed = 0;
      let looked = 0;
      for (const [id, { expiresAt }] of records) {
        if (removed === limit) break;
        if (expiresAt >= after && expiresAt < before) {
          remove(id);
          removed++;
        }
        if (++looked % SWEEP_STRIDE === 0) await new Promise(setImmediate);
      }
      return removed;
    },

    async list({ principal, cursor = "0", limit }, now): Promise<ListPage> {
      const found: ListedRecord[] = [];
      if (principal !== undefined) {
        for (const id of principals.get(principal) ?? []) {
          const record = live(id, now);
          if (record) found.push({ id, ...copy(record) });
        }
        return { records: found };
      }
      let last = Number(cursor);
      for (const [id, record] of records) {
        if (record.born <= last) continue;
        if (found.length === limit) return { records: found, cursor: String(last) };
        found.push({ id, ...copy(record) });
        last = record.born;
      }
      return { records: found };
    },
  };
}
