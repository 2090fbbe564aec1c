import { fromCallback, type OldStore } from "@sessions/adopting";
import type { Driver, StoredRecord } from "@sessions/core";
import { recordId } from "./layout.ts";
import { readOld } from "./read-old.ts";

/** Moves the sessions of the store that a site had before into the driver. */
export interface Adoption {
  /** Moves a session that the driver does not have. Of several requests, also in several processes, one does. */
  take(sid: string): Promise<StoredRecord | undefined>;
  /** Keeps a session from being moved, again or for the first time. The caller then ends it in the driver. */
  bar(id: string): Promise<void>;
  /** The same for all sessions that a user has in the old store now; without a principal, for all that are there. */
  barAll(principal?: string): Promise<void>;
  /** Ends a session in the old store. */
  end(sid: string): Promise<void>;
}

const DAY_MS = 86_400_000;
/** The longest time that browsers keep a cookie. */
const COOKIE_MS = 400 * DAY_MS;
/** The field of a mark. Records of sessions do not have it. */
const MARK = new Map([["express-session-mark", "1"]]);

// Marks are records of their own: a late write of a session finds its record gone, and a later takeover the mark.
const markOf = (id: string): string => recordId(`sessions moved ${id}`);
const markOfAll = (principal?: string): string =>
  recordId(principal === undefined ? "sessions ended" : `sessions ended of ${principal}`);

/** What keeps sessions of the old store from being moved. */
export interface Marks {
  /** Marks a session. Returns `false` if it was marked before. */
  mark(id: string, expiresAt: number): Promise<boolean>;
  isMarked(id: string): Promise<boolean>;
  /** Marks all sessions that a user has in the old store now; without a principal, all that are there. */
  barAll(principal?: string): Promise<void>;
  /** Whether the sessions of that user, or all, were ended. */
  isBarred(principal: string | undefined): Promise<boolean>;
}

export function createMarks(backend: Driver, idle: number): Marks {
  async function has(mark: string): Promise<boolean> {
    const found = await backend.load(mark);
    return found !== undefined && found.expiresAt > Date.now();
  }

  /** The mark outlives what a request of an old process may still write. */
  function make(mark: string, expiresAt: number): Promise<boolean> {
    const now = Date.now();
    return backend.create(mark, { fields: MARK, expiresAt: Math.max(expiresAt, now + idle) + DAY_MS }, now);
  }

  return {
    mark: (id, expiresAt) => make(markOf(id), expiresAt),
    isMarked: (id) => has(markOf(id)),
    async barAll(principal) {
      await make(markOfAll(principal), Date.now() + COOKIE_MS);
    },
    isBarred: async (principal) =>
      (await has(markOfAll())) || (principal !== undefined && (await has(markOfAll(principal)))),
  };
}

export function createAdoption(
  backend: Driver,
  old: OldStore,
  idle: number,
  principalOf: (session: object) => string | undefined,
): Adoption {
  const { mark, isMarked, isBarred, barAll } = createMarks(backend, idle);

  /** Stores a session in the driver, unless another process does, or it was there before. */
  async function move(
    id: string,
    record: { fields: ReadonlyMap<string, string>; expiresAt: number },
    principal: string | undefined,
  ): Promise<void> {
    if ((await isMarked(id)) || (await isBarred(principal))) return;
    const isOurs = await backend.create(id, { ...record, principal }, Date.now());
    if (!isOurs) return;
    // A logout marks and then destroys. It either finds this record, or its mark is found here.
    const isFirst = await mark(id, record.expiresAt);
    if (!isFirst || (await isBarred(principal))) await backend.destroy(id, Date.now());
  }

  const end = (sid: string): Promise<void> => fromCallback((done) => old.destroy(sid, done));

  return {
    async take(sid) {
      const id = recordId(sid);
      const found = await readOld(old, sid, idle);
      // Another process may have moved it since the driver was asked.
      if (!found) return backend.load(id);
      await move(id, found.record, principalOf(found.session));
      await end(sid);
      return backend.load(id);
    },

    async bar(id) {
      await mark(id, 0);
    },

    barAll,
    end,
  };
}
