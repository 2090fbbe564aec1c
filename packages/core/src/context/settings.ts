import { Buffer } from "node:buffer";
import { type Duration, milliseconds } from "../base/duration.ts";
import { SessionConfigError } from "../base/errors.ts";
import { checkAmong, checkCount, checkOption, checkOptions, hasMethods } from "../base/options.ts";
import { warnOnce } from "../base/warn-once.ts";
import { isListingDriver } from "../driver/abilities.ts";
import type { Driver } from "../driver/contract.ts";
import { memoryDriver } from "../driver/memory/driver.ts";
import { selfProvisioning } from "../driver/self-provisioning.ts";
import { type Codec, codecsByName, devalueCodec, newFields } from "../store/codec.ts";
import type { Rotation } from "../token/rotation.ts";
import { type CookieOptions, type CookieSettings, cookieSettings } from "./cookie.ts";

/** Options of `createSessionManager()`. It reads them once. */
export interface SessionManagerOptions {
  /** The driver of the backend that keeps the records. @default memoryDriver() */
  driver?: Driver | undefined;
  /**
   * Idle timeout: a session expires if it is not used for this long. OWASP advises 15 to 30 minutes for applications of
   * low risk (Session Management Cheat Sheet), NIST at most 1 hour after two factors (SP 800-63B-4, 2.2.3). The default
   * suits a visitor who returns the next day.
   * @default "24h"
   */
  idle?: Duration | undefined;
  /**
   * Absolute timeout: the longest life of a session from its creation or last login, however much it is used (OWASP);
   * `false` for no limit. The manager checks it at every open, so that a shorter setting acts at once. The default is
   * the most that NIST advises after a password alone (SP 800-63B-4, 2.1.3); after two factors that is 24 hours (2.2.3).
   * @default "30d"
   */
  absolute?: Duration | false | undefined;
  /** The shortest time between two commits that only move the expiry; 0 for none. @default idle / 10, at most "5m" */
  touchEvery?: Duration | undefined;
  /** The name and attributes of the cookie. */
  cookie?: CookieOptions | undefined;
  /**
   * Keys of at least 32 bytes that sign the token, newest first, so that forged cookies never reach the backend. The
   * first key signs; all keys verify. To change keys, deploy the new key as the second everywhere, then move it to the
   * front.
   * @default none: tokens are not signed
   */
  secrets?: readonly string[] | undefined;
  /**
   * Periodic rotation of the token's secret in sessions with a principal, so that the use of a copied cookie is
   * detected. `grace` must be longer than any request with its response takes, and `every` at least twice `grace`. If
   * an old token comes back, `onReuse` decides whether the session is destroyed or only reported by the event `reused`.
   * @default off; grace "2m", onReuse "destroy"
   */
  rotation?:
    | { every: Duration; grace?: Duration | undefined; onReuse?: "destroy" | "report" | undefined }
    | undefined;
  /**
   * Turns the values of entries into text and back. In a list, the first codec writes and all read, by their names. To
   * change the codec of a running site, deploy `[old, new]` everywhere, then `[new, old]`, then `new` after the old
   * sessions have expired.
   * @default devalueCodec
   */
  codec?: Codec | readonly Codec[] | undefined;
  /** The most bytes that one session may hold, encoded. Each entry counts 100 bytes extra. @default 1_048_576 */
  maxBytes?: number | undefined;
  /**
   * Lower limits for sessions without a user, so that crawlers and visitors who never return cost little storage:
   * `idle`, and `maxBytes`. A login lifts them. Neither is more than the manager's. A lower `idle` acts on a session from
   * its next use on, because an expiry is never moved back. No standard asks for limits: the timeouts of OWASP and NIST
   * protect a login, and a guest has none that could be taken over. So by default a guest's cart lives as long as a
   * user's.
   * @default the manager's `idle` and `maxBytes`
   */
  anonymous?: { idle?: Duration | undefined; maxBytes?: number | undefined } | undefined;
  /**
   * The most sessions that a user may have, counted at each login; a guest's does not count, nor the one that the login
   * replaces. `"endOldest"` ends those whose logins are the oldest. `"refuse"` makes the commit of one login more reject
   * with `SessionLimitError`. Overlapping logins never leave more. Where the driver says `eventualList`, a login waits
   * for a second and counts once more; what overlaps within that time may exceed the limit, until the next login.
   * OWASP ASVS 5.0, 7.1.2, asks that the number, and what happens beyond it, are written down.
   * @default no limit; whenFull "endOldest"
   */
  maxPerPrincipal?: { sessions: number; whenFull?: "endOldest" | "refuse" | undefined } | undefined;
  /**
   * What to keep of the requests of a session, for a page that shows users their devices: when it was last used, the
   * client's `User-Agent`, and its IP address, whole or `"shortened"` to its network (24 bits of IPv4, at most 48 of
   * IPv6). An adapter tells the last two. They are written at the start and with each move of the expiry, and by no
   * write of their own. So they are as old as `touchEvery`, or older where nothing moves the expiry: after
   * `setExpiry()`, for requests with `touch: false`, and in the last `idle` before the absolute timeout. Addresses are
   * personal data: say so in your privacy policy.
   * @default nothing
   */
  metadata?:
    | {
        lastSeen?: boolean | undefined;
        userAgent?: boolean | undefined;
        ip?: boolean | "shortened" | undefined;
      }
    | undefined;
  /**
   * `"auto"` creates a missing table, index or folder once in each process, beside the first call. That call waits only
   * if it needs what is missing. With `"manual"`, only `sessions.setup()` creates them, and calls before it reject with
   * `SessionSetupError`.
   * @default "auto"
   */
  setup?: "auto" | "manual" | undefined;
  /** Returns the time in epoch milliseconds. For tests with the memory driver. @default Date.now */
  clock?: (() => number) | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly driver: Driver;
  /** What to do if a request over https would get a cookie without `Secure` that the program did not ask for. */
  readonly insecure: "refuse" | "warn" | undefined;
  readonly idle: number;
  /** `Infinity` for none. */
  readonly absolute: number;
  readonly touchEvery: number;
  readonly cookie: CookieSettings;
  readonly keys: readonly string[];
  readonly rotation: Rotation | undefined;
  /** By name; the first writes. */
  readonly codecs: ReadonlyMap<string, Codec>;
  /** The fields of a session that is not stored yet. */
  readonly newFields: ReadonlyMap<string, string>;
  readonly maxBytes: number;
  /** The limits of a session without a principal. */
  readonly guest: { readonly idle: number; readonly maxBytes: number };
  readonly metadata: SessionManagerOptions["metadata"];
  readonly perPrincipal: { readonly sessions: number; readonly refuses: boolean } | undefined;
  /** The most fields of a session and of a commit; `Infinity` if the driver has no such limit. */
  readonly maxFields: number;
  readonly clock: () => number;
}

/** The methods of every driver. */
const METHODS = ["create", "load", "commit", "destroy", "sweep"];

const CREATE = "createSessionManager";

function readRotation(rotation: NonNullable<SessionManagerOptions["rotation"]>): Rotation {
  checkOptions(CREATE, rotation, ["every", "grace", "onReuse"], "rotation.");
  const { every, grace = "2m", onReuse = "destroy" } = rotation;
  checkAmong("rotation.onReuse", onReuse, "destroy", "report");
  const ms = milliseconds("rotation.grace", grace);
  return { every: milliseconds("rotation.every", every, 2 * ms), grace: ms, onReuse };
}

function readLimit(
  limit: NonNullable<SessionManagerOptions["maxPerPrincipal"]>,
  driver: Driver,
): NonNullable<Settings["perPrincipal"]> {
  checkOptions(CREATE, limit, ["sessions", "whenFull"], "maxPerPrincipal.");
  const { sessions, whenFull = "endOldest" } = limit;
  checkCount("maxPerPrincipal.sessions", sessions);
  checkAmong("maxPerPrincipal.whenFull", whenFull, "endOldest", "refuse");
  if (!isListingDriver(driver))
    throw new SessionConfigError(`maxPerPrincipal needs a driver that can list; "${driver.name}" cannot`);
  return { sessions, refuses: whenFull === "refuse" };
}

function readMetadata(metadata: NonNullable<SessionManagerOptions["metadata"]>): Settings["metadata"] {
  checkOptions(CREATE, metadata, ["lastSeen", "userAgent", "ip"], "metadata.");
  for (const [key, value] of Object.entries(metadata))
    if (key !== "ip" || value !== "shortened") checkAmong(`metadata.${key}`, value, true, false, undefined);
  return { ...metadata };
}

/** A random key has at least this many different characters. */
const FEWEST_CHARACTERS = 8;

/** Returns whether a key looks typed, not random. */
const isGuessable = (key: string): boolean =>
  new Set(key).size < FEWEST_CHARACTERS ||
  // One text repeated; the last repetition may be cut short.
  Array.from(key).some(
    (_, period) => period > 0 && 2 * period <= key.length && key.startsWith(key.slice(period)),
  );

function checkSecrets(secrets: readonly string[]): void {
  // Messages must not show a key.
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new SessionConfigError("secrets must be a list of keys, or left out");
  for (const [index, key] of secrets.entries()) {
    if (typeof key !== "string" || Buffer.byteLength(key) < 32)
      throw new SessionConfigError(`secrets[${index}] must be a string of at least 32 bytes`);
    if (!isGuessable(key)) continue;
    const message = `secrets[${index}] can be guessed: make one with node -p "crypto.randomBytes(32).toString('hex')"`;
    if (index === 0) throw new SessionConfigError(message);
    // Only warn about an older key: it verifies until it leaves the list.
    process.emitWarning(message);
  }
}

/** @throws SessionConfigError Names the option that is unknown, out of range, or contradicts another. */
export function readSettings(options: SessionManagerOptions): Settings {
  checkOptions(CREATE, options, [
    ...(["driver", "idle", "absolute", "touchEvery", "cookie", "secrets", "rotation", "codec"] as const),
    ...(["maxBytes", "anonymous", "maxPerPrincipal", "metadata", "setup", "clock"] as const),
  ]);
  const {
    driver = memoryDriver(),
    idle: idleOption = "24h",
    absolute: absoluteOption = "30d",
    touchEvery: touchOption,
    cookie = {},
    secrets,
    rotation,
    codec = devalueCodec,
    maxBytes: bytesOption = 1_048_576,
    anonymous = {},
    maxPerPrincipal,
    metadata,
    setup = "auto",
    clock = Date.now,
  } = options;
  if (hasMethods(driver, "then")) throw new SessionConfigError("driver is a promise: await it");
  const isDriver = hasMethods(driver, ...METHODS);
  checkOption(isDriver, "driver", `an object with the methods ${METHODS.join(", ")}`, driver);
  checkOption(typeof driver.name === "string", "driver.name", "a string", driver.name);
  const { maxRecordBytes, maxFieldsPerCommit } = driver;
  if (maxRecordBytes !== undefined) checkCount("driver.maxRecordBytes", maxRecordBytes);
  if (maxFieldsPerCommit !== undefined) checkCount("driver.maxFieldsPerCommit", maxFieldsPerCommit);
  checkOption(typeof clock === "function", "clock", "a function", clock);
  checkCount("maxBytes", bytesOption);
  checkOptions(CREATE, anonymous, ["idle", "maxBytes"], "anonymous.");
  const { idle: guestIdle = idleOption, maxBytes: guestBytes = bytesOption } = anonymous;
  checkCount("anonymous.maxBytes", guestBytes);
  checkOption(guestBytes <= bytesOption, "anonymous.maxBytes", "at most maxBytes", guestBytes);
  checkAmong("setup", setup, "auto", "manual");
  if (secrets !== undefined) checkSecrets(secrets);

  const codecs = codecsByName(codec);
  const idle = milliseconds("idle", idleOption);
  const absolute =
    absoluteOption === false ? Number.POSITIVE_INFINITY : milliseconds("absolute", absoluteOption);
  const guest = {
    idle: milliseconds("anonymous.idle", guestIdle),
    maxBytes: Math.min(guestBytes, maxRecordBytes ?? guestBytes),
  };
  checkOption(guest.idle <= idle, "anonymous.idle", "at most idle", guestIdle);
  const touchEvery = milliseconds("touchEvery", touchOption ?? Math.min(Math.floor(idle / 10), 300_000), 0);
  checkOption(touchEvery < idle, "touchEvery", `less than idle, ${idle} ms`, touchOption);

  const environment = process.env["NODE_ENV"];
  const production = environment === "production";
  if (production && driver.name === "memory")
    warnOnce("memory", "Sessions in memory end with this process: pass a driver");
  else if (production && driver.volatile)
    warnOnce(
      `evicts ${driver.name}`,
      `The driver "${driver.name}" evicts sessions: it may log users out at any time`,
    );
  const settings = cookieSettings(cookie, absolute, production);
  const isDeveloping = environment === "development" || environment === "test";
  const maxBytes = Math.min(bytesOption, maxRecordBytes ?? bytesOption);
  return {
    driver: setup === "auto" ? selfProvisioning(driver) : driver,
    insecure: settings.secure || cookie.secure === false ? undefined : isDeveloping ? "warn" : "refuse",
    idle,
    absolute,
    touchEvery,
    cookie: settings,
    keys: [...(secrets ?? [])],
    rotation: rotation && readRotation(rotation),
    codecs,
    newFields: newFields(codecs),
    maxBytes,
    guest,
    metadata: metadata && readMetadata(metadata),
    perPrincipal: maxPerPrincipal && readLimit(maxPerPrincipal, driver),
    maxFields: maxFieldsPerCommit ?? Number.POSITIVE_INFINITY,
    clock: () => Math.floor(clock()),
  };
}
