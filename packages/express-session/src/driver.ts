import { performance } from "node:perf_hooks";
import { type Driver, DriverUnavailableError, type Duration, type StoredRecord } from "@sessions/core";
import {
  checkOption,
  checkOptions,
  createCall,
  mergeChange,
  milliseconds,
  serialize,
} from "@sessions/core/driver-tools";
import { fromCallback, getFrom, keepFor, type StoreLike } from "./store-calls.ts";

/** Options of `fromExpressSessionStore`. */
export interface FromExpressSessionStoreOptions {
  /** How long a call may take before it is `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
}

/** A record, as JSON can hold it: an object of fields would lose one named `__proto__`. */
interface Kept {
  readonly version: number;
  readonly expiresAt: number;
  readonly principal?: string | undefined;
  readonly fields: readonly (readonly [string, string])[];
}

/** A store keeps an expired record for an hour more, so that late requests learn how it ended. */
const LEFTOVER_MS = 3_600_000;

/** An id that no session has. */
const NO_ID = "0".repeat(32);

/**
 * The store's key for a record. An application whose sessions are in the same store may let its visitors write what looks
 * like a record, and its `genid` may make ids of our form: under a key of this form lies no session of express-session.
 */
const keyOf = (id: string): string => `sessions-${id}`;

/** What a driver wrote; nothing where the store has something else under that id. */
function parse(session: object | undefined): StoredRecord | undefined {
  const kept: Kept | undefined = Reflect.get(Object(session), "record");
  if (!kept) return undefined;
  const { version, expiresAt, principal, fields } = kept;
  return { version, expiresAt, fields: new Map(fields), ...(principal !== undefined && { principal }) };
}

/**
 * A driver on any store for express-session, for a backend that has a store and no driver. The store knows whole sessions
 * only, so each change is a read and a write of all of it, one after the other within this process.
 * Other processes it cannot wait for: `expressSessionExclusions` has the rules that it breaks with them.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function fromExpressSessionStore(
  store: StoreLike,
  options: FromExpressSessionStoreOptions = {},
): Driver {
  checkOptions("fromExpressSessionStore", options, ["timeout"]);
  const { timeout: limit = "2s" } = options;
  checkOption(typeof Object(store).get === "function", "store", "a store for express-session", typeof store);
  const timeout = milliseconds("timeout", limit);
  const call = createCall({ driver: "express-session", timeout, translate: () => undefined });

  const get = async (id: string): Promise<StoredRecord | undefined> => parse(await getFrom(store, keyOf(id)));

  function set(id: string, record: StoredRecord, now: number): Promise<void> {
    const { version, expiresAt, principal, fields } = record;
    const kept: Kept = { version, expiresAt, principal, fields: [...fields] };
    // The store's clock is this process's, and may be another than the caller's.
    const life = Math.max(expiresAt - now, 0) + LEFTOVER_MS;
    return keepFor(life, store, keyOf(id), { record: kept });
  }

  /**
   * Does `work` after what was begun before for the same id, by any driver on this store; it gets the id's live record,
   * and a way to write.
   */
  function change<T>(
    id: string,
    now: number,
    work: (live: StoredRecord | undefined, write: (work: () => Promise<void>) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const end = performance.now() + timeout;
    let over = false;
    const write = async (send: () => Promise<void>): Promise<void> => {
      // The caller has been told that it failed, and may have done something else since.
      if (over) throw new DriverUnavailableError("express-session: no time was left to send the change");
      await send();
    };
    const attempt = async (): Promise<T> => {
      try {
        return await call(async () => {
          const record = await get(id);
          return work(record && record.expiresAt > now ? record : undefined, write);
        }, end - performance.now());
      } finally {
        over = true;
      }
    };
    return serialize(store, attempt, keyOf(id));
  }

  return {
    name: "express-session",

    create(id, { expiresAt, principal, fields }, now) {
      const record = { version: 1, expiresAt, principal, fields: new Map(fields) };
      return change(id, now, async (live, write) => {
        if (live) return false;
        await write(() => set(id, record, now));
        return true;
      });
    },

    load: (id) => call(() => get(id)),

    commit(id, given, now) {
      // A copy: the caller may change its own while this waits.
      const patch = { ...given, fields: new Map(given.fields) };
      return change(id, now, async (live, write) => {
        if (!live) return "gone";
        if (patch.ifVersion !== undefined && patch.ifVersion !== live.version) return "conflict";
        await write(() => set(id, mergeChange(live, patch), now));
        return "committed";
      });
    },

    destroy: (id, now) =>
      change(id, now, async (live, write) => {
        if (!live) return false;
        await write(() => fromCallback((done) => store.destroy(keyOf(id), done)));
        return true;
      }),

    async sweep() {
      // The store removes what has expired by itself, an hour later. A backend that is away is still no backend with
      // nothing to remove.
      await call(() => get(NO_ID));
      return 0;
    },
  };
}
