import { createHash } from "node:crypto";
import {
  type Change,
  type Driver,
  isListingDriver,
  isSessionError,
  SessionConfigError,
  SessionConflictError,
  type StoredRecord,
} from "@sessions/core";
import {
  checkOption,
  checkOptions,
  isWhole,
  retry,
  selfProvisioning,
  serialize,
} from "@sessions/core/driver-tools";
import { createSealer } from "./seal.ts";

/** better-auth's `SecondaryStorage`, as {@link secondaryStorage} makes it. Times to live are in seconds. */
export interface SecondaryStorage {
  /** Returns the value of a key, or `null`. */
  get(key: string): Promise<string | null>;
  /** Stores a value. Without `ttl` it stays until it is deleted; with 0 or less it is deleted. */
  set(key: string, value: string, ttl?: number): Promise<void>;
  /** Deletes a value. */
  delete(key: string): Promise<void>;
  /** Returns a value and deletes it. Of calls that overlap, exactly one gets the value. */
  getAndDelete(key: string): Promise<string | null>;
  /** Adds one to a counter, exactly, and returns the new count. `ttl` counts from the first call. */
  increment(key: string, ttl: number): Promise<number>;
}

/**
 * Options of {@link secondaryStorage}.
 *
 * @example
 * import type { SecondaryStorageOptions } from "@sessions/better-auth";
 *
 * export const options: SecondaryStorageOptions = { secrets: [process.env.BETTER_AUTH_SECRET ?? ""] };
 */
export interface SecondaryStorageOptions {
  /**
   * Keys of at least 32 bytes that encrypt the values, newest first. The first encrypts, all decrypt. A value that no
   * key decrypts counts as absent.
   */
  readonly secrets: readonly string[];
}

const VALUE = "better-auth/value";
/** Set in a record that was deleted. Whatever is written beside it, a session with this field stays ended. */
const ENDED = "better-auth/ended";
/** better-auth's key for the list of a user's sessions. */
const LIST = "active-sessions-";

/** A request that read a session before its end may still write it. No request takes this long. */
const ENDED_MS = 3_600_000;
/** How long a value without a time to live is kept: 50 years. */
const FOREVER_MS = 50 * 365 * 86_400_000;
/** When a value with that time to live ends, in epoch milliseconds. What is no number above 0 ends at once. */
const endOf = (now: number, ttl: number): number =>
  now + (ttl > 0 ? Math.min(Math.floor(ttl * 1000), FOREVER_MS) : 0);

/** How many records are read at a time. */
const PAGE = 100;
/** After so many lost races a change is given up. With the pauses between them, that takes a second or two. */
const MOST_LOST = 64;

/** The record's id: a hash, so that no key, which may be a session's token, can be read from the backend. */
const recordId = (key: string): string =>
  createHash("sha256").update(`better-auth ${key}`).digest("hex").slice(0, 32);

/** The principal of a user's sessions. A hash too, so that nothing else in the backend has the same one. */
const principalOf = (userId: string): string => recordId(`user ${userId}`);

/** Returns the session that better-auth keeps as `{ session, user }` under its token; `undefined` for other values. */
function sessionIn(value: string): { token: string; userId: string } | undefined {
  if (!value.startsWith("{")) return undefined;
  try {
    const { token, userId } = Object(Object(JSON.parse(value)).session);
    const isSession = typeof token === "string" && ["string", "number"].includes(typeof userId);
    return isSession ? { token, userId: String(userId) } : undefined;
  } catch {
    return undefined;
  }
}

const lost = (): SessionConflictError =>
  new SessionConflictError(`The change was given up, because others were faster ${MOST_LOST} times in a row`);

/**
 * Makes better-auth's `secondaryStorage` on a driver. Keys are hashed and values are encrypted at rest.
 *
 * better-auth keeps a list of each user's sessions under a key of its own, reads it and writes it back, so overlapping
 * sign-ins lose sessions from it. Here the sessions themselves are the list: reading it asks the driver for all of the
 * user's sessions, and writing it does nothing. A session that was deleted stays deleted, although a request that read
 * it before writes it back.
 *
 * @param driver A driver that can list the records of a principal. All drivers of this project can.
 * @throws SessionConfigError The driver cannot list, a secret is missing or too short, or an option is unknown.
 * @example
 * import { secondaryStorage } from "@sessions/better-auth";
 * import { memoryDriver } from "@sessions/core/memory";
 * import { betterAuth } from "better-auth";
 *
 * export const auth = betterAuth({
 *   secondaryStorage: secondaryStorage(memoryDriver(), { secrets: [process.env.BETTER_AUTH_SECRET ?? ""] }),
 * });
 */
export function secondaryStorage(driver: Driver, options: SecondaryStorageOptions): SecondaryStorage {
  checkOptions("secondaryStorage", options, ["secrets"]);
  const isDriver = typeof Object(driver).load === "function";
  checkOption(isDriver, "secondaryStorage: driver", "a driver (await its promise)", typeof driver);
  const backend = selfProvisioning(driver);
  if (!isListingDriver(backend))
    throw new SessionConfigError(
      `secondaryStorage: the driver "${driver.name}" cannot list the sessions of a user. Use a driver that can`,
    );
  const sealer = createSealer(options.secrets);

  const liveValue = (id: string, record: StoredRecord | undefined, now: number): string | undefined =>
    record && record.expiresAt > now && !record.fields.has(ENDED)
      ? sealer.open(id, record.fields.get(VALUE))
      : undefined;

  /** Repeats a change that must see the present value, until no other change comes between. */
  const exactly = <T>(id: string, change: () => Promise<T>): Promise<T> =>
    serialize(
      backend,
      () =>
        retry(change, {
          isContention: (error) => isSessionError(error, "ERR_SESSION_CONFLICT"),
          attempts: MOST_LOST,
        }),
      id,
    );

  const ending = (now: number): Change => ({
    fields: new Map([
      [VALUE, null],
      [ENDED, "1"],
    ]),
    principal: null,
    expiresAt: now + ENDED_MS,
  });

  const sessionsOf = async (userId: string): Promise<string | null> => {
    const principal = principalOf(userId);
    const found = new Map<string, { token: string; expiresAt: number }>();
    const now = Date.now();
    let cursor: string | undefined;
    do {
      const page = await backend.list({ principal, limit: PAGE, cursor }, now);
      for (const record of page.records) {
        const session = sessionIn(liveValue(record.id, record, now) ?? "");
        if (session) found.set(record.id, { token: session.token, expiresAt: record.expiresAt });
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return found.size === 0 ? null : JSON.stringify([...found.values()]);
  };

  const storage: SecondaryStorage = {
    async get(key) {
      if (key.startsWith(LIST)) return sessionsOf(key.slice(LIST.length));
      const id = recordId(key);
      return liveValue(id, await backend.load(id), Date.now()) ?? null;
    },

    async set(key, value, ttl) {
      if (key.startsWith(LIST)) return;
      if (ttl !== undefined && !(ttl > 0)) return storage.delete(key);
      const now = Date.now();
      const id = recordId(key);
      const found = sessionIn(value);
      const session = found?.token === key ? found : undefined;
      const expiresAt = endOf(now, ttl ?? Number.POSITIVE_INFINITY);
      const fields = new Map([[VALUE, sealer.seal(id, value)]]);
      // A token is random, so a session under it that was deleted is not begun again: the writer read it before.
      const change: Change = {
        fields: session ? fields : new Map<string, string | null>(fields).set(ENDED, null),
        expiresAt,
      };
      const principal = session && principalOf(session.userId);
      for (let tries = 0; tries < MOST_LOST; tries++) {
        if (await backend.create(id, { expiresAt, principal, fields }, now)) return;
        if ((await backend.commit(id, change, now)) === "committed") return;
      }
      throw lost();
    },

    async delete(key) {
      const now = Date.now();
      if (!key.startsWith(LIST)) await backend.commit(recordId(key), ending(now), now);
    },

    async getAndDelete(key) {
      const id = recordId(key);
      return exactly(id, async () => {
        const record = await backend.load(id);
        const now = Date.now();
        const value = liveValue(id, record, now);
        if (value === undefined) return null;
        const outcome = await backend.commit(id, { ...ending(now), ifVersion: record?.version }, now);
        if (outcome === "conflict") throw lost();
        return outcome === "committed" ? value : null;
      });
    },

    async increment(key, ttl) {
      const id = recordId(key);
      return exactly(id, async () => {
        const record = await backend.load(id);
        const now = Date.now();
        const before = liveValue(id, record, now);
        const count = Number(before ?? 0) + 1;
        if (!isWhole(count, 1)) throw new TypeError("increment: the value of the key is not a whole number");
        const fields = new Map([[VALUE, sealer.seal(id, String(count))]]);
        const expiresAt = before === undefined ? endOf(now, ttl) : undefined;
        if (record && record.expiresAt > now) {
          const change = { fields: new Map<string, string | null>(fields).set(ENDED, null), expiresAt };
          if ((await backend.commit(id, { ...change, ifVersion: record.version }, now)) !== "committed")
            throw lost();
        } else if (!(await backend.create(id, { expiresAt: expiresAt ?? now, fields }, now))) throw lost();
        return count;
      });
    },
  };
  return storage;
}
