import {
  type CommitOutcome,
  type Driver,
  type Duration,
  SessionTooLargeError,
  type StoredRecord,
} from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  createCall,
  mergeChange,
  milliseconds,
  retry,
  serialize,
} from "@sessions/core/driver-tools";
import type { CasRetrievalCommandResponse, MemcacheClient } from "memcache-client";

export { fromUrl } from "./from-url.ts";

/** The methods of the client that the driver calls. */
export type MemcachedClientLike = Pick<MemcacheClient, "gets" | "add" | "cas" | "version">;

/** Options of `memcachedDriver`. */
export interface MemcachedDriverOptions {
  /** A `MemcacheClient` of `memcache-client` for one server. You open it and close it. */
  readonly client: MemcachedClientLike;
  /**
   * The start of all keys. Drivers with different prefixes share nothing. 1 to 64 of `A-Z a-z 0-9 _ - :`.
   * @default "sessions:"
   */
  readonly prefix?: string | undefined;
  /**
   * How long a call may take. After that it is `DriverUnavailableError`.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** What becomes of a record: another in its place, `null` for none, or `undefined` to leave it. */
type Decide = (old: StoredRecord | undefined) => StoredRecord | null | undefined;

const HOUR_SECONDS = 3600;
/** Memcached takes a larger number for a date of its own clock. */
const MOST_SECONDS = 30 * 24 * HOUR_SECONDS;
/** Expires an item at once. */
const NOW = -1;

/** An hour longer than the session, counted from now, so that no clock but the caller's ends it. 0 is without end. */
function lifetimeOf({ expiresAt }: StoredRecord, now: number): number {
  const seconds = Math.ceil(Math.max(expiresAt - now, 0) / 1000) + HOUR_SECONDS;
  return seconds > MOST_SECONDS ? 0 : seconds;
}

// No text holds a NUL, and no principal is empty. JSON would make some texts six times as long.
const encode = ({ version, expiresAt, principal = "", fields }: StoredRecord): Buffer =>
  Buffer.from([version, expiresAt, principal, ...[...fields].flat()].join("\0"));

function decode(value: Buffer): StoredRecord {
  const [version, expiresAt, principal, ...rest] = value.toString().split("\0");
  const fields = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 2) fields.set(rest[i] ?? "", rest[i + 1] ?? "");
  return { version: Number(version), expiresAt: Number(expiresAt), ...(principal && { principal }), fields };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "");
/** Another writer was faster, or the item was evicted between the read and the write. Nothing was written. */
const isContention = (error: unknown): boolean => /^(NOT_STORED|EXISTS|NOT_FOUND)$/.test(messageOf(error));

/**
 * Keeps sessions in Memcached, which evicts them when it is full, and forgets them all when it restarts. It has no list.
 *
 * @throws SessionConfigError if an option is unknown or out of range. The message names it.
 */
export function memcachedDriver(options: MemcachedDriverOptions): Driver {
  checkOptions("memcachedDriver", options, ["client", "prefix", "timeout"]);
  const { client, prefix = "sessions:", timeout = "2s" } = options;
  checkClient(client, "a MemcacheClient of memcache-client", ["gets() add() cas() version()"]);
  const form = "1 to 64 of A-Z a-z 0-9 _ - :";
  checkOption(typeof prefix === "string" && /^[\w:-]{1,64}$/.test(prefix), "prefix", form, prefix);
  const call = createCall({
    driver: "memcached",
    timeout: milliseconds("timeout", timeout),
    translate: (error) =>
      /too large/.test(messageOf(error))
        ? new SessionTooLargeError("memcached: the session is larger than an item may be (option -I)")
        : undefined,
  });

  async function read(id: string): Promise<{ record: StoredRecord; casUniq: string | number } | undefined> {
    const item: CasRetrievalCommandResponse<Buffer> | undefined = await client.gets<Buffer>(prefix + id);
    return item && { record: decode(item.value), casUniq: item.casUniq };
  }

  /** The one way to change a record: read, decide, and write if nobody else did meanwhile. Whether it was written. */
  function change(id: string, now: number, decide: Decide): Promise<boolean> {
    async function attempt(signal: AbortSignal): Promise<boolean> {
      const old = await read(id);
      const next = decide(old?.record);
      if (next === undefined) return false;
      // The caller was told that the call is late. It must not be done after that.
      signal.throwIfAborted();
      const lifetime = next ? lifetimeOf(next, now) : NOW;
      const value = next ? encode(next) : "";
      if (old) await client.cas(prefix + id, value, { casUniq: old.casUniq, lifetime });
      else await client.add(prefix + id, value, { lifetime });
      return true;
    }
    // In one process writers of a record wait for each other, so that only processes have to try again.
    return call(
      (signal) => serialize(client, () => retry(() => attempt(signal), { isContention }), id),
      undefined,
      { changes: true },
    );
  }

  return {
    name: "memcached",
    // Of an item's 1 MiB, the rest is for its key and header.
    maxRecordBytes: 1_000_000,
    volatile: true,

    create(id, record, now) {
      // A copy: the caller may change its own while this waits.
      const next = { ...record, version: 1, fields: new Map(record.fields) };
      return change(id, now, (old) => (old && old.expiresAt > now ? undefined : next));
    },

    load: (id) => call(async () => (await read(id))?.record),

    async commit(id, given, now) {
      const patch = { ...given, fields: new Map(given.fields) };
      let outcome: CommitOutcome = "gone";
      await change(id, now, (old) => {
        outcome = "gone";
        if (!old || old.expiresAt <= now) return undefined;
        outcome = (patch.ifVersion ?? old.version) === old.version ? "committed" : "conflict";
        return outcome === "conflict" ? undefined : mergeChange(old, patch);
      });
      return outcome;
    },

    // Written over by an item that expires at once, because Memcached deletes without a condition.
    destroy: (id, now) => change(id, now, (old) => (old && old.expiresAt > now ? null : undefined)),

    async sweep() {
      // Memcached removes by itself. Asked all the same, because away is an error.
      await call(() => client.version());
      return 0;
    },
  };
}
