import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import type { Duration, ListedRecord, ListingDriver, ProvisionedDriver, StoredRecord } from "@sessions/core";
import {
  checkOption,
  checkOptions,
  mergeChange,
  milliseconds,
  raisesVersion,
} from "@sessions/core/driver-tools";
import { createChanges, type Decision } from "./changes.ts";
import { createConnection } from "./connection.ts";
import { idsIn } from "./files.ts";
import { createFolders } from "./folders.ts";
import { isId, layoutOf, SHARDS } from "./layout.ts";
import { createPrincipals } from "./principals.ts";
import { createProvisioning } from "./provisioning.ts";
import { createSweep } from "./sweep.ts";

/** Options of `fileDriver`. */
export interface FileDriverOptions {
  /**
   * The folder for sessions, on a disk of this machine and for nothing else. A relative path starts at the current
   * folder of the process when the driver is made. `setup()` makes the folder.
   */
  readonly directory: string;
  /**
   * The time that a call may take before it rejects with `DriverUnavailableError`: 1 ms to 30 minutes.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/** Half of the time for which a principal's entry without a record stays. */
const LONGEST_TIMEOUT_MS = 30 * 60_000;

/** The number of a listing's records that are read at a time. */
const GROUP = 8;

/**
 * Keeps sessions in files, for any number of processes on one machine: a folder for each session, in which each change
 * is a new file. It has no lock, so a process that is killed or stopped never holds up another. `sweep()` removes
 * expired sessions.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fileDriver } from "@sessions/driver-file";
 *
 * const sessions = createSessionManager({ driver: fileDriver({ directory: "./sessions" }) });
 * await sessions.setup();
 * sessions.startSweeping({ every: "10m" });
 */
export function fileDriver(options: FileDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("fileDriver", options, ["directory", "timeout"]);
  const { directory, timeout: limit = "2s" } = options;
  checkOption(
    typeof directory === "string" && directory !== "" && !directory.includes("\0"),
    "directory",
    "the path of a folder",
    directory,
  );
  const timeout = milliseconds("timeout", limit);
  checkOption(timeout <= LONGEST_TIMEOUT_MS, "timeout", "30 minutes at most", limit);

  const layout = layoutOf(resolve(directory));
  const folders = createFolders(layout);
  const { call, uncheckedCall } = createConnection(layout, timeout);
  const principals = createPrincipals(layout, call, folders.load);
  const change = createChanges(folders);

  /** Writes a record, after its principal's entry. The change is not made once the call's time is up. */
  function write<T>(
    id: string,
    principal: string | null | undefined,
    decide: (record: StoredRecord | undefined) => Decision<T>,
  ): Promise<T> {
    const end = performance.now() + timeout;
    return call(
      async () => {
        if (typeof principal === "string") await principals.add(principal, id);
        return change(id, { end, lasting: true, decide });
      },
      timeout,
      { changes: true },
    );
  }

  return {
    name: "file",

    async create(id, { expiresAt, principal, fields }, now) {
      if (!isId(id)) throw new TypeError("file: an id must be 32 lower-case hexadecimal characters");
      const next: StoredRecord = {
        version: 1,
        expiresAt,
        // A copy, because the caller may change its own while this waits.
        fields: new Map(fields),
        ...(principal !== undefined && { principal }),
      };
      return write(id, principal, (record) =>
        record && record.expiresAt > now ? { result: false } : { result: true, next },
      );
    },

    async load(id) {
      return isId(id) ? call(() => folders.load(id)) : undefined;
    },

    async commit(id, given, now) {
      if (!isId(id)) return "gone";
      // A copy, because the caller may change its own while this waits.
      const patch = { ...given, fields: new Map(given.fields) };
      const { principal, ifVersion, expiresAt } = patch;
      return write(id, principal, (record) => {
        if (!record || record.expiresAt <= now) return { result: "gone" };
        if (ifVersion !== undefined && ifVersion !== record.version) return { result: "conflict" };
        if (!raisesVersion(patch) && (expiresAt ?? record.expiresAt) === record.expiresAt)
          return { result: "committed" };
        return { result: "committed", next: mergeChange(record, patch) };
      });
    },

    async destroy(id, now) {
      if (!isId(id)) return false;
      return write(id, undefined, (record) =>
        record && record.expiresAt > now ? { result: true, next: null } : { result: false },
      );
    },

    sweep: createSweep({ layout, folders, principals, change, call, timeout }),

    async list({ principal, cursor = "", limit }, now) {
      if (principal !== undefined) return call(() => principals.list(principal, cursor, limit, now));
      const records: ListedRecord[] = [];
      // Records are in the order of the ids, and the cursor is the last id that was read.
      let last = cursor;
      for (const shard of SHARDS.slice(Math.max(SHARDS.indexOf(cursor.slice(0, 2)), 0))) {
        const ids = (await call(() => idsIn(layout.records, shard))).filter((id) => id > last);
        while (ids.length > 0) {
          if (records.length >= limit) return { records, cursor: last };
          const group = ids.splice(0, Math.min(GROUP, limit - records.length));
          const found = await call(() => Promise.all(group.map(folders.load)));
          for (const [i, id] of group.entries()) {
            const record = found[i];
            if (record) records.push({ id, ...record });
          }
          last = group.at(-1) ?? last;
        }
      }
      return { records };
    },

    ...createProvisioning(layout, folders, uncheckedCall),
  };
}
