import type { CommitOutcome, ListedRecord, ListingDriver, StoredRecord } from "@sessions/core";
import { checkClient, checkOptions, createCall, mergeChange, serialize } from "@sessions/core/driver-tools";
import type { ChainedBatch, ClassicLevel } from "classic-level";

/** Options of `levelDriver`. */
export interface LevelDriverOptions {
  /** A database of `classic-level`, or a sublevel of one, that holds nothing else: you open it and close it. */
  readonly client: Pick<ClassicLevel, "get"> & {
    keys(range: { gt: string; lt: string }): AsyncIterable<string>;
    batch(): Pick<ChainedBatch<unknown, string, string>, "put" | "del" | "write">;
  };
}

/** What becomes of a record: another in its place, `null` for none, or `undefined` to leave it. */
type Decide = (old: StoredRecord | undefined) => StoredRecord | null | undefined;

// LevelDB cannot write on a condition, so a lock stands for one: all who can write are in this process.
const lock = {};
// What LevelDB rejects with is `DriverUnavailableError`. No timeout: nothing is between it and this process.
const call = createCall({ driver: "level", timeout: Number.POSITIVE_INFINITY, translate: () => undefined });

// Keys are ordered by their bytes, so times have all their digits; in hexadecimal no principal holds a `!`.
const expiryKey = (at: number) => `expiry!${String(at).padStart(16, "0")}!`;
const listKey = (principal: string | undefined) =>
  principal === undefined ? "record!" : `principal!${Buffer.from(principal).toString("hex")}!`;
const indexKeys = (id: string, { expiresAt, principal }: StoredRecord) =>
  [expiryKey(expiresAt), ...(principal === undefined ? [] : [listKey(principal)])].map((key) => key + id);

/** Keeps sessions in LevelDB. @throws SessionConfigError naming an option that is unknown or does not fit. */
export function levelDriver(options: LevelDriverOptions): ListingDriver {
  checkOptions("levelDriver", options, ["client"]);
  const { client } = options;
  checkClient(client, "a database of classic-level", ["get() keys() batch()"]);

  async function read(id: string): Promise<StoredRecord | undefined> {
    const text = await client.get(`record!${id}`);
    return text === undefined ? text : JSON.parse(text, (name, it) => (name === "fields" ? new Map(it) : it));
  }

  /** The one way to change a record: nobody else does meanwhile. Whether it was, when that is on the disk. */
  const change = (id: string, decide: Decide, sync = true): Promise<boolean> =>
    serialize(
      lock,
      async () => {
        const old = await read(id);
        const next = decide(old);
        if (next === undefined) return false;
        // Written whole or not at all, so no index tells of another record than the one that is there.
        const batch = client.batch().del(`record!${id}`);
        for (const key of old ? indexKeys(id, old) : []) batch.del(key);
        for (const key of next ? indexKeys(id, next) : []) batch.put(key, "");
        // Fields as pairs, not as an object's properties: one may be called `__proto__`.
        if (next) batch.put(`record!${id}`, JSON.stringify({ ...next, fields: [...next.fields] }));
        await batch.write({ sync });
        return true;
      },
      id,
    );

  return {
    name: "level",

    create(id, record, now) {
      // A copy: the caller may change its own while this waits.
      const next = { ...record, version: 1, fields: new Map(record.fields) };
      return call(() => change(id, (old) => (old && old.expiresAt > now ? undefined : next)));
    },

    load: (id) => call(() => read(id)),

    async commit(id, given, now) {
      // A copy: the caller may change its own while this waits.
      const patch = { ...given, fields: new Map(given.fields) };
      let outcome: CommitOutcome = "gone";
      const merge: Decide = (old) => {
        if (!old || old.expiresAt <= now) return undefined;
        outcome = (patch.ifVersion ?? old.version) === old.version ? "committed" : "conflict";
        return outcome === "conflict" ? undefined : mergeChange(old, patch);
      };
      await call(() => change(id, merge));
      return outcome;
    },

    destroy: (id, now) => call(() => change(id, (old) => (old && old.expiresAt > now ? null : undefined))),

    sweep: ({ after, before, limit }) =>
      call(async () => {
        let removed = 0;
        for await (const key of client.keys({ gt: expiryKey(after), lt: expiryKey(before) })) {
          const id = key.slice(-32);
          // Judged again, now under the lock. Not synced: what a power cut brings back is swept again.
          const judge: Decide = (old) => (old && indexKeys(id, old).includes(key) ? null : undefined);
          if (await change(id, judge, false)) removed++;
          if (removed === limit) break;
        }
        return removed;
      }),

    list: ({ principal, cursor = "", limit }, now) =>
      call(async () => {
        const all = listKey(principal);
        const records: ListedRecord[] = [];
        for await (const key of client.keys({ gt: all + cursor, lt: `${all}~` })) {
          const id = key.slice(-32);
          const record = await read(id);
          // It may have changed since the index was read.
          const fits = principal === undefined || (record?.principal === principal && record.expiresAt > now);
          if (record && fits) records.push({ id, ...record });
          if (records.length === limit) return { records, cursor: id };
        }
        return { records };
      }),
  };
}
