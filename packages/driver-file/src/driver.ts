import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import {
  type Duration,
  type ListedRecord,
  type ListingDriver,
  type ProvisionedDriver,
  type SessionError,
  SessionTooLargeError,
  type StoredRecord,
} from "@sessions/core";
import {
  type Call,
  checkOption,
  checkOptions,
  createCall,
  mergeChange,
  milliseconds,
  raisesVersion,
} from "@sessions/core/driver-tools";
import { createChanges, type Decision } from "./changes.ts";
import { hasCode, idsIn } from "./files.ts";
import { createFolders } from "./folders.ts";
import { isId, layoutOf, SHARDS } from "./layout.ts";
import { createPrincipals } from "./principals.ts";
import { createProvisioning } from "./provisioning.ts";
import { createSweep } from "./sweep.ts";
import { createTrust } from "./trust.ts";

/** Options of `fileDriver`. */
export interface FileDriverOptions {
  /**
   * The folder to keep sessions in: on a disk of this machine, and for nothing else. A relative path counts from where
   * the process is when the driver is made. `setup()` makes it.
   */
  readonly directory: string;
  /** How long a call may take before it is `DriverUnavailableError`: from 1 ms to 30 minutes. @default "2s" */
  readonly timeout?: Duration | undefined;
}

/** Half of the time for which a principal's entry without a record is left alone. */
const LONGEST_TIMEOUT_MS = 30 * 60_000;

/** So many records of a listing are read at a time. */
const GROUP = 8;

function translate(error: unknown): SessionError | undefined {
  return hasCode(error, "EFBIG", "ERR_FS_FILE_TOO_LARGE", "ERR_STRING_TOO_LONG")
    ? new SessionTooLargeError("file: the session is larger than a file can be here", { cause: error })
    : undefined;
}

/**
 * Keeps sessions in files, for any number of processes on one machine: a folder per session, in which each change is a
 * new file. It needs no lock, so a process that is killed or stopped holds up nobody. `sweep()` removes what has
 * expired.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
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
  const unchecked = createCall({ driver: "file", timeout, translate });
  const demandTrust = createTrust(layout);
  const call: Call = (work, ...rest) =>
    unchecked(
      async () => {
        await demandTrust();
        return work();
      },
      ...rest,
    );
  const principals = createPrincipals(layout, call, folders.load);
  const change = createChanges(folders);

  /** A record of a principal is in its entries before it is written; what is not begun in time is not begun. */
  function write<T>(
    id: string,
    principal: string | null | undefined,
    decide: (record: StoredRecord | undefined) => Decision<T>,
  ): Promise<T> {
    const end = performance.now() + timeout;
    return call(async () => {
      if (typeof principal === "string") await principals.add(principal, id);
      return change(id, { end, lasting: true, decide });
    });
  }

  return {
    name: "file",

    async create(id, { expiresAt, principal, fields }, now) {
      if (!isId(id)) throw new TypeError("file: an id is 32 lower-case hexadecimal characters");
      const next: StoredRecord = {
        version: 1,
        expiresAt,
        // A copy: the caller may change its own while this waits.
        fields: new Map(fields),
        ...(principal !== undefined && { principal }),
      };
      return write(id, principal, (record) =>
        record && record.expiresAt > now ? { answer: false } : { answer: true, next },
      );
    },

    async load(id) {
      return isId(id) ? call(() => folders.load(id)) : undefined;
    },

    async commit(id, given, now) {
      if (!isId(id)) return "gone";
      // A copy: the caller may change its own while this waits.
      const patch = { ...given, fields: new Map(given.fields) };
      const { principal, ifVersion, expiresAt } = patch;
      return write(id, principal, (record) => {
        if (!record || record.expiresAt <= now) return { answer: "gone" };
        if (ifVersion !== undefined && ifVersion !== record.version) return { answer: "conflict" };
        if (!raisesVersion(patch) && (expiresAt ?? record.expiresAt) === record.expiresAt)
          return { answer: "committed" };
        return { answer: "committed", next: mergeChange(record, patch) };
      });
    },

    async destroy(id, now) {
      if (!isId(id)) return false;
      return write(id, undefined, (record) =>
        record && record.expiresAt > now ? { answer: true, next: null } : { answer: false },
      );
    },

    sweep: createSweep({ layout, folders, principals, change, call, timeout }),

    async list({ principal, cursor = "", limit }, now) {
      if (principal !== undefined) return call(() => principals.list(principal, cursor, limit, now));
      const records: ListedRecord[] = [];
      // Everything is in the order of the ids, and the cursor is the last one looked at.
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

    ...createProvisioning(layout, folders, unchecked),
  };
}
