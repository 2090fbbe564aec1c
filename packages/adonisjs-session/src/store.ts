import string from "@adonisjs/core/helpers/string";
import type { Driver } from "@sessions/core";
import { checkOption, checkOptions } from "@sessions/core/driver-tools";
import { createWholeSessions, principalText, recordId } from "@sessions/whole-sessions";

/** Options of {@link adonisSessionStore}. */
export interface AdonisSessionStoreOptions {
  /**
   * `"auto"`: the first call that finds a table or the like missing waits for `driver.setup()`. `"manual"`: that call
   * fails with `ERR_SESSION_SETUP`; run `await driver.setup()` when you deploy.
   * @default "auto"
   */
  readonly setup?: "auto" | "manual" | undefined;
}

/** A session's data, as AdonisJS has it. */
export type SessionData = Record<string, string | number | boolean | object>;

/** What AdonisJS makes for each request, and for its `SessionCollection`. */
export interface AdonisSessionStore {
  read(sessionId: string): Promise<SessionData | null>;
  write(sessionId: string, data: SessionData): Promise<void>;
  destroy(sessionId: string): Promise<void>;
  touch(sessionId: string): Promise<void>;
  tag(sessionId: string, userId: string | number): Promise<void>;
  untag(sessionId: string, userId: string | number): Promise<void>;
  tagged(userId: string | number): Promise<{ id: string; data: SessionData }[]>;
}

/** The longest time between two writes that only move the expiry. */
const TOUCH_MS = 300_000;
/** In the ids that `tagged()` returns. They open nothing: only a `SessionCollection` takes them. */
const BY_RECORD = "record:";

/**
 * Makes a store for `@adonisjs/session` that keeps its sessions in a driver. Each request writes only the keys that it
 * changed. A session that has ended stays ended.
 *
 * @returns One of the `stores` of `config/session.ts`.
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adonisSessionStore } from "@sessions/adonisjs-session";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * export const stores = { sessions: adonisSessionStore(memoryDriver()) };
 */
export function adonisSessionStore(
  driver: Driver,
  options: AdonisSessionStoreOptions = {},
): (ctx: unknown, config: { readonly age: string | number }) => AdonisSessionStore {
  checkOptions("adonisSessionStore", options, ["setup"]);
  checkOption(
    typeof Object(driver).load === "function",
    "driver",
    "a driver (await the promise if it comes from an async function)",
    typeof driver,
  );
  const { setup = "auto" } = options;
  checkOption(["auto", "manual"].includes(setup), "setup", '"auto" or "manual"', setup);
  const sessions = createWholeSessions(driver, {
    name: "adonisSessionStore",
    prefix: "adonisjs-session",
    setup,
  });

  return (ctx, { age }) => {
    const visit = sessions.visit();
    const { records } = sessions;
    const life = string.seconds.parse(age) * 1000;
    const expiresAt = (): number => Date.now() + life;
    /** Tags of sessions that are not stored yet: a login gives the session another id, and tags it before it is written. */
    const tags = new Map<string, string>();
    /** Ids of records come from `tagged()`. A visitor has none, and a cookie that holds one names no session. */
    const recordOf = (sessionId: string): string | undefined =>
      ctx === null && sessionId.startsWith(BY_RECORD) ? sessionId.slice(BY_RECORD.length) : undefined;

    return {
      async read(sessionId) {
        const record = recordOf(sessionId);
        return (await (record === undefined ? visit.read(sessionId) : records.read(record))) ?? null;
      },
      async write(sessionId, data) {
        await visit.write(sessionId, data, expiresAt(), tags.get(sessionId));
      },
      async destroy(sessionId) {
        const record = recordOf(sessionId);
        await (record === undefined ? visit.destroy(sessionId) : records.destroy(record));
      },
      touch: (sessionId) => visit.touch(sessionId, expiresAt(), Math.min(TOUCH_MS, life / 10)),
      async tag(sessionId, userId) {
        const user = principalText(userId);
        if (user === undefined)
          throw new TypeError("tag() needs a user: a number, or a text of 1 to 255 bytes");
        tags.set(sessionId, user);
        await records.setPrincipal(recordOf(sessionId) ?? recordId(sessionId), user);
      },
      async untag(sessionId) {
        tags.delete(sessionId);
        await records.setPrincipal(recordOf(sessionId) ?? recordId(sessionId), null);
      },
      tagged: async (userId) =>
        (await records.list(userId)).map(({ id, data }) => ({ id: `${BY_RECORD}${id}`, data })),
    };
  };
}
