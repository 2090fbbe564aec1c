import { performance } from "node:perf_hooks";
import { fromCallback, getFrom, keepFor, type StoreLike } from "@sessions/adopting";
import { type Driver, DriverUnavailableError, type Duration, type StoredRecord } from "@sessions/core";
import {
  checkOption,
  checkOptions,
  createCall,
  mergeChange,
  milliseconds,
  serialize,
} from "@sessions/core/driver-tools";

/** Options of {@link fromExpressSessionStore}. */
export interface FromExpressSessionStoreOptions {
  /** How long a call may take before it rejects with `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
}

/** A record as JSON. The fields are a list, because an object would lose a field named `__proto__`. */
interface Kept {
  readonly version: number;
  readonly expiresAt: number;
  readonly principal?: string | undefined;
  readonly fields: readonly (readonly [string, string])[];
}

/** How long the store keeps a record after its expiry, so that late requests can learn how it ended. */
const LEFTOVER_MS = 3_600_000;

/** An id that no session has. `sweep` reads it to learn whether the backend is there. */
const NO_ID = "0".repeat(32);

/**
 * The store's key for a record. The prefix keeps sessions of express-session in the same store apart: their visitors
 * may write data that looks like a record, and their `genid` may make ids like ours.
 */
const keyOf = (id: string): string => `sessions-${id}`;

/** The record in a store's session; `undefined` if something else wrote it. */
function parse(session: object | undefined): StoredRecord | undefined {
  const kept: Kept | undefined = Reflect.get(Object(session), "record");
  if (!kept) return undefined;
  const { version, expiresAt, principal, fields } = kept;
  return { version, expiresAt, fields: new Map(fields), ...(principal !== undefined && { principal }) };
}

/**
 * Makes a driver from any store for express-session, for a backend that has a store and no driver. A store reads and
 * writes whole sessions, so each change reads and writes the whole record. Within one process the changes of a session
 * wait for each other. Other processes do not wait: {@link expressSessionExclusions} lists the clauses that break then.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromExpressSessionStore, type StoreLike } from "@sessions/express-session";
 *
 * declare const store: StoreLike; // such as new RedisStore({ client }) of connect-redis
 * export const sessions = createSessionManager({ driver: fromExpressSessionStore(store) });
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
    // The store measures by this process's clock, which may differ from the caller's `now`: give it a length of time.
    const life = Math.max(expiresAt - now, 0) + LEFTOVER_MS;
    return keepFor(life, store, keyOf(id), { record: kept });
  }

  /**
   * Runs `work` after all earlier changes of the same id, by any driver on this store. `work` gets the live record of
   * the id, and a function that writes.
   */
  function change<T>(
    id: string,
    now: number,
    work: (live: StoredRecord | undefined, write: (work: () => Promise<void>) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const end = performance.now() + timeout;
    let over = false;
    const write = async (send: () => Promise<void>): Promise<void> => {
      // The call has already rejected, and its caller may have written something else since.
      if (over)
        throw new DriverUnavailableError(
          "express-session: the call timed out before the change was sent, so nothing was written. Try again, or raise the timeout.",
        );
      await send();
    };
    const attempt = async (): Promise<T> => {
      try {
        return await call(
          async () => {
            const record = await get(id);
            return work(record && record.expiresAt > now ? record : undefined, write);
          },
          end - performance.now(),
          { changes: true },
        );
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
      // The store removes expired records itself, an hour later. The read is there so that a backend which is away
      // makes the sweep reject, instead of returning 0.
      await call(() => get(NO_ID));
      return 0;
    },
  };
}
