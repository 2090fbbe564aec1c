import type { CommitOutcome, ListedRecord, ListingDriver, StoredRecord } from "@sessions/core";
import { checkClient, createCall, refuseUnknown } from "@sessions/core/driver-tools";
import AsyncLock from "async-lock";

/** What the driver calls of a database of `classic-level`, or of a sublevel of one. */
export interface LevelClientLike {
  /** A sublevel's database. */
  readonly db?: object;
  get(key: string): Promise<string | undefined>;
  keys(range: { gt: string; lt: string; limit?: number }): AsyncIterable<string>;
  batch(): {
    put(key: string, value: string): unknown;
    del(key: string): unknown;
    write(options: { sync: boolean }): Promise<void>;
  };
}

/** Options of `levelDriver`. */
export interface LevelDriverOptions {
  /** A database of `classic-level` or a sublevel of one, for sessions alone: opened by you and closed by you. */
  readonly client: LevelClientLike;
}

/** What to answer, and what to write: another record, `null` for none, or nothing. */
type Decision<T> = readonly [answer: T, next?: StoredRecord | null];

/** LevelDB cannot write on a condition, so a lock stands for one: a database's own, for other drivers may be on it too. */
const locks = new WeakMap<object, AsyncLock>();

// A store inside the process has no silences to end, so there is no timeout.
const call = createCall({ driver: "level", timeout: Number.POSITIVE_INFINITY, translate: () => undefined });

const isLive = (record: StoredRecord | undefined, now: number): record is StoredRecord =>
  record !== undefined && record.expiresAt > now;

// Keys are compared byte by byte: so times have all their digits, and principals, which may hold any character, are hexadecimal.
const expiryKey = (at: number) => `expiry!${String(at).padStart(16, "0")}!`;
const listKey = (principal: string | undefined) =>
  principal === undefined ? "record!" : `principal!${Buffer.from(principal).toString("hex")}!`;

/** The keys that lead to a record. They end with the id, as its own does. */
const indexKeys = (id: string, { expiresAt, principal }: StoredRecord) =>
  [expiryKey(expiresAt), ...(principal === undefined ? [] : [listKey(principal)])].map((key) => key + id);
const idOf = (key: string) => key.slice(-32);

/**
 * Keeps sessions in a LevelDB database, which one process has open: the drivers on it all belong to that process.
 *
 * @throws SessionConfigError where an option is unknown, or `client` is nothing of the kind.
 */
export function levelDriver({ client, ...rest }: LevelDriverOptions): ListingDriver {
  refuseUnknown("levelDriver: ", rest);
  const fits = typeof Object(client).batch === "function";
  checkClient(fits, "a database of classic-level, or a sublevel of one", client);
  const lock = locks.get(client.db ?? client) ?? new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  locks.set(client.db ?? client, lock);

  async function read(id: string): Promise<StoredRecord | undefined> {
    const text = await client.get(`record!${id}`);
    // Fields are kept as pairs, not as an object's properties: one may be called `__proto__`.
    return text && JSON.parse(text, (name, value) => (name === "fields" ? new Map(value) : value));
  }

  /** The one way to change a record: nobody else does meanwhile, and it is on the disk when this resolves. */
  const change = <T>(id: string, decide: (old?: StoredRecord) => Decision<T>, sync = true): Promise<T> =>
    call(() =>
      lock.acquire(id, async () => {
        const old = await read(id);
        const [answer, next] = decide(old);
        if (next === undefined) return answer;
        // Written whole or not at all, so no index tells of another record than the one that is there.
        const batch = client.batch();
        for (const key of old ? indexKeys(id, old) : []) batch.del(key);
        for (const key of next ? indexKeys(id, next) : []) batch.put(key, "");
        if (next) batch.put(`record!${id}`, JSON.stringify({ ...next, fields: [...next.fields] }));
        else batch.del(`record!${id}`);
        await batch.write({ sync });
        return answer;
      }),
    );

  return {
    name: "level",

    async create(id, record, now) {
      // A copy: the caller may change its own while this waits.
      const next = { ...record, version: 1, fields: new Map(record.fields) };
      return change(id, (old) => (isLive(old, now) ? [false] : [true, next]));
    },

    load: (id) => call(() => read(id)),

    async commit(id, { expiresAt, principal, ifVersion, fields }, now) {
      const patch = [...fields];
      const counts = patch.length > 0 || principal !== undefined || ifVersion !== undefined;
      return change<CommitOutcome>(id, (old) => {
        if (!isLive(old, now)) return ["gone"];
        if (ifVersion !== undefined && ifVersion !== old.version) return ["conflict"];
        const merged = new Map(old.fields);
        for (const [name, text] of patch) {
          if (text === null) merged.delete(name);
          else merged.set(name, text);
        }
        const next: StoredRecord = {
          version: old.version + (counts ? 1 : 0),
          expiresAt: expiresAt ?? old.expiresAt,
          principal: principal === undefined ? old.principal : (principal ?? undefined),
          fields: merged,
        };
        return ["committed", next];
      });
    },

    destroy: (id, now) => change(id, (old) => (isLive(old, now) ? [true, null] : [false])),

    sweep: ({ after, before, limit }) =>
      call(async () => {
        let removed = 0;
        for await (const key of client.keys({ gt: expiryKey(after), lt: expiryKey(before) })) {
          // Judged again, for the index is read without its lock. Not synced: what a power cut brings back is swept again.
          const isIn = (at: number) => at >= after && at < before;
          const decide = (old?: StoredRecord): Decision<boolean> =>
            old && isIn(old.expiresAt) ? [true, null] : [false];
          if (await change(idOf(key), decide, false)) removed++;
          if (removed === limit) break;
        }
        return removed;
      }),

    list: ({ principal, cursor = "", limit }, now) =>
      call(async () => {
        const all = listKey(principal);
        const records: ListedRecord[] = [];
        let last: string | undefined;
        for await (const key of client.keys({ gt: all + cursor, lt: `${all}~`, limit })) {
          last = idOf(key);
          const record = await read(last);
          // It may have changed since the index was read.
          const fits = principal === undefined || (isLive(record, now) && record.principal === principal);
          if (record && fits) records.push({ id: last, ...record });
        }
        return { records, cursor: last };
      }),
  };
}
