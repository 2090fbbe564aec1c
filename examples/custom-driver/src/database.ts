import { SessionSetupError, SessionTooLargeError, type StoredRecord } from "@sessions/core";
import { type Call, createCall } from "@sessions/core/driver-tools";
import AsyncLock from "async-lock";
import type { ClassicLevel } from "classic-level";
import { type Keys, keysOf, parse, print } from "./records.ts";

/** What to answer, and what to write: another record, `null` for none, or nothing. */
export interface Decision<T> {
  readonly answer: T;
  readonly next?: StoredRecord | null;
}

/** What one driver does with its part of a database. */
export interface Database {
  readonly keys: Keys;
  readonly call: Call;
  /** The records of these ids, or `undefined` for what is not there. @throws SessionSetupError before `setup()`. */
  read(ids: readonly string[]): Promise<(StoredRecord | undefined)[]>;
  /**
   * The one way to change a record: `decide` sees it as it is, and nobody else changes it meanwhile. It is on the disk
   * when this resolves, unless `sync` is `false`.
   */
  change<T>(
    id: string,
    decide: (record: StoredRecord | undefined) => Decision<T>,
    sync?: boolean,
  ): Promise<T>;
}

/**
 * LevelDB cannot write on a condition, so a lock stands for one. It is the database's own: other drivers may be on it
 * too, and other processes cannot be.
 */
const locks = new WeakMap<ClassicLevel, AsyncLock>();

/** Opens the part of a database that is under a prefix. */
export function databaseOf(client: ClassicLevel, prefix: string, timeout: number): Database {
  const keys = keysOf(prefix);
  const lock = locks.get(client) ?? new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  locks.set(client, lock);

  const call = createCall({
    driver: "level",
    timeout,
    translate: (cause) =>
      cause instanceof RangeError
        ? new SessionTooLargeError("level: the session is too large", { cause })
        : undefined,
  });

  async function read(ids: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    const [layout, ...texts] = await client.getMany([keys.layout, ...ids.map(keys.record)]);
    // The folder of a disk that is not mounted is an empty database: that must log nobody out.
    if (layout === undefined)
      throw new SessionSetupError(`level: the database has no "${prefix}": run setup(), or mount the disk`);
    return texts.map((text) => (text === undefined ? undefined : parse(text)));
  }

  /** A batch is written whole or not at all, so an index never tells of another record than the one that is there. */
  async function write(id: string, from: StoredRecord | undefined, to: StoredRecord | null, sync: boolean) {
    const batch = client.batch();
    for (const key of keys.indexes(id, from)) batch.del(key);
    if (to === null) batch.del(keys.record(id));
    else {
      batch.put(keys.record(id), print(to));
      for (const key of keys.indexes(id, to)) batch.put(key, "");
    }
    await batch.write({ sync });
  }

  return {
    keys,
    call,
    read: (ids) => call(() => read(ids)),
    change(id, decide, sync = true) {
      const work = async () => {
        const [record] = await read([id]);
        const { answer, next } = decide(record);
        if (next !== undefined) await write(id, record, next, sync);
        return answer;
      };
      // Who has waited too long for the lock does not begin.
      return call(() => lock.acquire(keys.record(id), work, { timeout }));
    },
  };
}
