import type { Adopt } from "@sessions/core/adapter-tools";
import { checkOptions } from "@sessions/core/driver-tools";
import { decoded } from "./old-data.ts";
import { type AdoptOnceOptions, adoptOnce, type OldCookie } from "./once.ts";
import { createSignedValues, fromBase64, type Keys } from "./signed-values.ts";

/** Options of {@link adoptCookieSession}. */
export interface AdoptCookieSessionOptions<T extends object = Record<string, unknown>>
  extends AdoptOnceOptions<T> {
  /** The `keys` that were given to cookie-session; its `secret` as a list of one. */
  readonly keys: Keys;
  /** The name of the old cookie. @default "session" */
  readonly name?: string | undefined;
}

/**
 * Takes over the sessions of cookie-session 2, so that users stay logged in while a site moves. The result is for the
 * option `adopt` of every adapter. Each old cookie is taken over once. A cookie without a valid signature is ignored, and
 * costs no call of a backend.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptCookieSession } from "@sessions/adopt";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * export const adopt = adoptCookieSession({
 *   keys: ["the key that cookie-session had"],
 *   driver: memoryDriver(), // in production the manager's driver
 *   until: new Date("2027-03-01"),
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptCookieSession<T extends object = Record<string, unknown>>(
  options: AdoptCookieSessionOptions<T>,
): Adopt {
  const maker = "adoptCookieSession";
  checkOptions(maker, options, ["keys", "name", "driver", "until", "cookie", "map"]);
  const { keys, name = "session" } = options;
  const signedValues = createSignedValues(name, keys);

  async function find(cookieHeader: string | undefined): Promise<OldCookie[]> {
    const found: OldCookie[] = [];
    for (const signed of signedValues(cookieHeader)) {
      const data = await decoded(() => fromBase64(signed));
      if (data) found.push({ signed, data, expiresAt: Number.POSITIVE_INFINITY });
    }
    return found;
  }

  return adoptOnce({ maker, name, option: "name", names: [name, `${name}.sig`], find }, options);
}
