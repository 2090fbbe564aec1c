import { isNonEmpty } from "@sessions/adopting";
import { type Adopt, cookieValues } from "@sessions/core/adapter-tools";
import { checkOption, checkOptions } from "@sessions/core/driver-tools";
import { defaults, unseal } from "iron-webcrypto";
import { decoded, fits } from "./old-data.ts";
import { type AdoptOnceOptions, adoptOnce, type OldCookie } from "./once.ts";

/** Options of {@link adoptIronSession}. */
export interface AdoptIronSessionOptions<T extends object = Record<string, unknown>>
  extends AdoptOnceOptions<T> {
  /** The `password` that was given to iron-session: a text, or several by their numbers. */
  readonly password: string | Readonly<Record<string, string>>;
  /** The `cookieName` that was given to iron-session. */
  readonly cookieName: string;
}

/** How long after its expiry iron-session accepts a seal, in milliseconds. */
const SKEW_MS = defaults.timestampSkewSec * 1000;

/**
 * Takes over the sessions of iron-session 8 and 9, so that users stay logged in while a site moves. The result is for the
 * option `adopt` of every adapter. Each old cookie is taken over once. A cookie that the password does not open is
 * ignored, and costs no call of a backend.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptIronSession } from "@sessions/adopt";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * export const adopt = adoptIronSession({
 *   password: "the password of 32 or more that iron-session had",
 *   cookieName: "my-site",
 *   driver: memoryDriver(), // in production the manager's driver
 *   until: new Date("2027-03-01"),
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptIronSession<T extends object = Record<string, unknown>>(
  options: AdoptIronSessionOptions<T>,
): Adopt {
  const maker = "adoptIronSession";
  checkOptions(maker, options, ["password", "cookieName", "driver", "until", "cookie", "map"]);
  const { password, cookieName } = options;
  // Without a prototype: the client chooses which number is looked up.
  const passwords: Record<string, string> = Object.assign(
    Object.create(null),
    isNonEmpty(password) ? { 1: password } : password,
  );
  const texts = Object.values(passwords);
  const isRight = texts.length > 0 && texts.every((text) => isNonEmpty(text) && text.length >= 32);
  checkOption(isRight, "password", "a text of 32 characters or more, or several by number", typeof password);

  async function open(value: string): Promise<OldCookie | undefined> {
    let seal = "";
    const data = await decoded(() => {
      // What follows the tilde is the version, which is not signed.
      seal = decodeURIComponent(value).split("~", 1)[0] ?? "";
      return unseal(seal, passwords, defaults);
    });
    // The last two of the eight parts are the signature, of which a client can write more than one spelling.
    const parts = seal.split("*").slice(0, 6);
    const expires = Number(parts[5]);
    const expiresAt = expires > 0 ? expires + SKEW_MS : Number.POSITIVE_INFINITY;
    return data && { signed: parts.join("*"), data, expiresAt };
  }

  async function find(cookieHeader: string | undefined): Promise<OldCookie[]> {
    const values = cookieValues(cookieHeader, cookieName).filter(fits);
    const opened = await Promise.all(values.map(open));
    return opened.filter((one) => one !== undefined);
  }

  const cookie = { secure: true, ...options.cookie };
  return adoptOnce(
    { maker, name: cookieName, option: "cookieName", names: [cookieName], find },
    { ...options, cookie },
  );
}
