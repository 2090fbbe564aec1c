import type { Adopt } from "@sessions/core/adapter-tools";
import { checkOption, checkOptions, createCall } from "@sessions/core/driver-tools";
import { decoded } from "./old-data.ts";
import { type AdoptOnceOptions, adoptOnce, type OldCookie } from "./once.ts";
import { createSignedValues, fromBase64, type Keys } from "./signed-values.ts";

/** The part of a koa-session `store`, or of an instance of its `ContextStore`, that this package calls. */
export interface KoaStoreLike {
  /** Returns the session of that key, or a promise of it; nothing if there is none. */
  get(key: string, maxAge: unknown, options: object): unknown;
}

/** Options of {@link adoptKoaSession}. */
export interface AdoptKoaSessionOptions<T extends object = Record<string, unknown>>
  extends AdoptOnceOptions<T> {
  /** The `app.keys` of the old site. */
  readonly keys: Keys;
  /** The name of the old cookie. @default "koa.sess" */
  readonly key?: string | undefined;
  /** The store that koa-session had. @default none: the cookie holds the data */
  readonly store?: KoaStoreLike | undefined;
}

/** The most that a call of the old store can take, in milliseconds; a slower store counts as down. */
const TIMEOUT_MS = 2000;

/**
 * Takes over the sessions of koa-session 7, so that users stay logged in while a site moves. The result is for the option
 * `adopt` of every adapter. Each old cookie is taken over once. A cookie without a valid signature is ignored, and costs
 * no call of a backend.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptKoaSession } from "@sessions/adopt";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * export const adopt = adoptKoaSession({
 *   keys: ["a key of the old app.keys"],
 *   driver: memoryDriver(), // in production the manager's driver
 *   until: new Date("2027-03-01"),
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptKoaSession<T extends object = Record<string, unknown>>(
  options: AdoptKoaSessionOptions<T>,
): Adopt {
  const maker = "adoptKoaSession";
  checkOptions(maker, options, ["keys", "key", "store", "driver", "until", "cookie", "map"]);
  const { keys, key = "koa.sess", store } = options;
  const isStore = store === undefined || typeof Object(store).get === "function";
  checkOption(isStore, "store", "a store for koa-session", typeof store);
  const signedValues = createSignedValues(key, keys);
  const call = createCall({ driver: maker, timeout: TIMEOUT_MS, translate: () => undefined });

  async function find(cookieHeader: string | undefined): Promise<OldCookie[]> {
    const found: OldCookie[] = [];
    for (const signed of signedValues(cookieHeader)) {
      // Stores take the third argument apart.
      const kept = store && (await call(async () => store.get(signed, undefined, { rolling: false })));
      const all = await decoded(() => (store ? kept : fromBase64(signed)));
      const { _expire, _maxAge, _session, ...data } = all ?? {};
      const expiresAt = typeof _expire === "number" ? _expire : Number.POSITIVE_INFINITY;
      if (all && expiresAt > Date.now()) found.push({ signed, data, expiresAt });
      else if (store) found.push({ signed, data: undefined, expiresAt });
    }
    return found;
  }

  return adoptOnce({ maker, name: key, option: "key", names: [key, `${key}.sig`], find }, options);
}
