import type { Duration, ListedRecord, ListingDriver, ProvisionedDriver, StoredRecord } from "@sessions/core";
import { checkClient, checkOption, milliseconds, refuseUnknown } from "@sessions/core/driver-tools";
import type { ClassicLevel } from "classic-level";
import { type Decision, databaseOf } from "./database.ts";
import { idOf, isLive } from "./records.ts";

/** Options of `levelDriver`. */
export interface LevelDriverOptions {
  /** A database of `classic-level`, opened by you and closed by you. It may hold other things too. */
  readonly client: ClassicLevel;
  /** What the driver's keys begin with: 1 to 64 of `a-z 0-9 _ -`. @default "sessions" */
  readonly prefix?: string | undefined;
  /** How long a call may take before it is `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
}

/** How many records a sweep removes at a time; others have their turn after each. */
const GROUP = 100;

/**
 * Keeps sessions in a LevelDB database, which one process has open: the drivers on it all belong to that process.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function levelDriver(options: LevelDriverOptions): ListingDriver & ProvisionedDriver {
  const { client, prefix = "sessions", timeout = "2s", ...rest } = options;
  refuseUnknown("levelDriver: ", rest);
  const { batch, getMany, parent }: Record<string, unknown> = Object(client);
  const fits = typeof batch === "function" && typeof getMany === "function" && !parent;
  checkClient(fits, "a database of classic-level, and no sublevel", client);
  const plain = typeof prefix === "string" && /^[a-z0-9_-]{1,64}$/.test(prefix);
  checkOption(plain, "prefix", "1 to 64 of a-z 0-9 _ -", prefix);
  const { keys, call, read, change } = databaseOf(client, prefix, milliseconds("timeout", timeout));

  return {
    name: "level",

    async create(id, record, now) {
      // A copy: the caller may change its own while this waits.
      const next: StoredRecord = { ...record, version: 1, fields: new Map(record.fields) };
      return change(id, (old) => (isLive(old, now) ? { answer: false } : { answer: true, next }));
    },

    async load(id) {
      const [record] = await read([id]);
      return record;
    },

    async commit(id, { expiresAt, principal, ifVersion, fields }, now) {
      const patch = new Map(fields);
      const counts = patch.size > 0 || principal !== undefined || ifVersion !== undefined;
      return change(id, (old) => {
        if (!isLive(old, now)) return { answer: "gone" };
        if (ifVersion !== undefined && ifVersion !== old.version) return { answer: "conflict" };
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
        return { answer: "committed", next };
      });
    },

    async destroy(id, now) {
      return change(id, (old) => (isLive(old, now) ? { answer: true, next: null } : { answer: false }));
    },

    async sweep({ after, before, limit }) {
      // Judged again, for the index was read without its lock.
      const expired = (old: StoredRecord | undefined): Decision<boolean> =>
        old && old.expiresAt >= after && old.expiresAt < before
          ? { answer: true, next: null }
          : { answer: false };
      let removed = 0;
      let from = keys.expiry(after);
      while (removed < limit) {
        const most = Math.min(limit - removed, GROUP);
        const found = await call(() => client.keys({ gt: from, lt: keys.expiry(before), limit: most }).all());
        // Not synced: what a power cut brings back is swept again.
        const swept = await Promise.all(found.map((key) => change(idOf(key), expired, false)));
        removed += swept.filter(Boolean).length;
        if (found.length < most) break;
        from = found.at(-1) ?? from;
      }
      return removed;
    },

    async list({ principal, cursor = "", limit }, now) {
      const all = keys.listing(principal);
      const found = await call(() => client.keys({ gt: `${all}${cursor}`, lt: `${all}~`, limit }).all());
      const ids = found.map(idOf);
      const records: ListedRecord[] = [];
      for (const [i, record] of (await read(ids)).entries()) {
        // It may have changed since the index was read.
        const fits = principal === undefined || (isLive(record, now) && record.principal === principal);
        if (record && fits) records.push({ id: ids[i] ?? "", ...record });
      }
      return { records, ...(found.length === limit && { cursor: ids.at(-1) }) };
    },

    setup: () => call(() => client.put(keys.layout, "1", { sync: true })),

    async check() {
      const layout = await call(() => client.get(keys.layout));
      return layout === "1" ? [] : [`The database has nothing of "${prefix}": run setup().`];
    },

    teardown: () => call(() => client.clear({ gte: keys.all[0], lt: keys.all[1] }), Number.POSITIVE_INFINITY),
  };
}
