import { isNonEmpty, signedIds } from "@sessions/adopting";
import type { Adopt } from "@sessions/core/adapter-tools";
import { checkOption, checkOptions } from "@sessions/core/driver-tools";
import { decoded, fits } from "./old-data.ts";
import { type AdoptOnceOptions, adoptOnce, type OldCookie } from "./once.ts";
import { fromBase64 } from "./signed-values.ts";

/** Options of {@link adoptReactRouterSession}. */
export interface AdoptReactRouterSessionOptions<T extends object = Record<string, unknown>>
  extends AdoptOnceOptions<T> {
  /** The `secrets` of the cookie that was given to `createCookieSessionStorage`, newest first. */
  readonly secrets: readonly string[];
  /** The name of the old cookie. @default "__session" */
  readonly name?: string | undefined;
}

/**
 * Takes over the sessions of `createCookieSessionStorage` of React Router 7 and 8 and of Remix 2, so that users stay
 * logged in while a site moves. The result is for the option `adopt` of `@sessions/react-router` and of every adapter.
 * Each old cookie is taken over once. A cookie without a valid signature is ignored, and costs no call of a backend.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptReactRouterSession } from "@sessions/adopt";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * export const adopt = adoptReactRouterSession({
 *   secrets: ["the secret of the old cookie"],
 *   driver: memoryDriver(), // in production the manager's driver
 *   until: new Date("2027-03-01"),
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptReactRouterSession<T extends object = Record<string, unknown>>(
  options: AdoptReactRouterSessionOptions<T>,
): Adopt {
  const maker = "adoptReactRouterSession";
  checkOptions(maker, options, ["secrets", "name", "driver", "until", "cookie", "map"]);
  const { secrets, name = "__session" } = options;
  const isRight = Array.isArray(secrets) && secrets.length > 0 && secrets.every(isNonEmpty);
  checkOption(isRight, "secrets", "a list of non-empty strings", typeof secrets);

  async function find(cookieHeader: string | undefined): Promise<OldCookie[]> {
    const found: OldCookie[] = [];
    for (const signed of signedIds(cookieHeader, name, secrets, "").filter(fits)) {
      const data = await decoded(() => fromBase64(signed));
      if (data) found.push({ signed, data, expiresAt: Number.POSITIVE_INFINITY });
    }
    return found;
  }

  return adoptOnce({ maker, name, option: "name", names: [name], find }, options);
}
