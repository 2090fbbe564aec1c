import { Buffer } from "node:buffer";
import { type Duration, milliseconds } from "../base/duration.ts";
import { SessionConfigError } from "../base/errors.ts";
import { checkAmong, checkCount, checkOption, checkOptions, hasMethods } from "../base/options.ts";
import type { Driver } from "../driver/contract.ts";
import { memoryDriver } from "../driver/memory/driver.ts";
import { selfProvisioning } from "../driver/self-provisioning.ts";
import { type Codec, codecsByName, devalueCodec, newFields } from "../store/codec.ts";
import type { Rotation } from "../token/rotation.ts";
import { type CookieOptions, type CookieSettings, cookieSettings } from "./cookie.ts";

/** Options of `createSessionManager`; they are read once. */
export interface SessionManagerOptions {
  /** Where records live. @default memoryDriver() */
  driver?: Driver | undefined;
  /** Idle timeout: a session that nobody uses for so long is expired (OWASP). @default "24h" */
  idle?: Duration | undefined;
  /**
   * Absolute timeout, from creation or the last login, however much the session is used (OWASP); `false` for none.
   * Judged at every open, so that a shorter setting acts at once.
   * @default "30d"
   */
  absolute?: Duration | false | undefined;
  /** How often at most the expiry is moved when nothing else is written; 0 for always. @default idle / 10, at most "5m" */
  touchEvery?: Duration | undefined;
  /** How the cookie is set. */
  cookie?: CookieOptions | undefined;
  /**
   * Keys of at least 32 bytes that sign the token, newest first, so that forged cookies never reach the backend. The
   * first signs, all verify: deploy a new key second in the list everywhere, then move it to the front.
   * @default none: tokens are not signed
   */
  secrets?: readonly string[] | undefined;
  /**
   * Periodic rotation of the token's secret in sessions with a principal, so that a copied cookie gives itself away.
   * `grace` is longer than any request and its response take, `every` at least twice that. `onReuse` says whether a
   * session whose old token comes back is destroyed, or only reported.
   * @default off; grace "2m", onReuse "destroy"
   */
  rotation?:
    | { every: Duration; grace?: Duration | undefined; onReuse?: "destroy" | "report" | undefined }
    | undefined;
  /**
   * Encodes one entry's value to text and back. Of a list the first writes and all read, by their names: to change the
   * codec of a running site deploy `[old, new]` everywhere, then `[new, old]`, and `new` once the old sessions are over.
   * @default devalueCodec
   */
  codec?: Codec | readonly Codec[] | undefined;
  /** The most bytes that one session may hold, encoded; each entry counts 100 more. @default 1_048_576 */
  maxBytes?: number | undefined;
  /**
   * `"auto"` makes what the backend lacks (table, index, folder) once a process, beside the first call, which waits only
   * where it misses something; `"manual"` leaves that to `setup()`, and such a call rejects with `SessionSetupError`.
   * @default "auto"
   */
  setup?: "auto" | "manual" | undefined;
  /** Epoch milliseconds, for tests with the memory driver. @default Date.now */
  clock?: (() => number) | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly driver: Driver;
  /** What a cookie without `Secure` means on a request over https, where the program did not say that it is meant. */
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
  /** What a session begins with that is not stored yet. */
  readonly newFields: ReadonlyMap<string, string>;
  readonly maxBytes: number;
  readonly clock: () => number;
}

/** What each driver has. */
const METHODS = ["create", "load", "commit", "destroy", "sweep"];

const CREATE = "createSessionManager";

function readRotation(rotation: NonNullable<SessionManagerOptions["rotation"]>): Rotation {
  checkOptions(CREATE, rotation, ["every", "grace", "onReuse"], "rotation.");
  const { every, grace = "2m", onReuse = "destroy" } = rotation;
  checkAmong("rotation.onReuse", onReuse, "destroy", "report");
  const ms = milliseconds("rotation.grace", grace);
  return { every: milliseconds("rotation.every", every, 2 * ms), grace: ms, onReuse };
}

/** The fewest different characters that a key made at random may have. */
const FEWEST_CHARACTERS = 8;

/** Whether a key is typed rather than made at random, as far as that shows. */
const isGuessable = (key: string): boolean =>
  new Set(key).size < FEWEST_CHARACTERS ||
  // One text over and over, the last time perhaps cut short.
  Array.from(key).some(
    (_, period) => period > 0 && 2 * period <= key.length && key.startsWith(key.slice(period)),
  );

function checkSecrets(secrets: readonly string[]): void {
  // No message shows what was given.
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new SessionConfigError("secrets must be a list of keys; leave it out to send tokens unsigned");
  for (const [index, key] of secrets.entries()) {
    if (typeof key !== "string" || Buffer.byteLength(key) < 32)
      throw new SessionConfigError(`secrets[${index}] must be a string of at least 32 bytes`);
    if (!isGuessable(key)) continue;
    const message = `secrets[${index}] can be guessed: make one with node -p "crypto.randomBytes(32).toString('base64url')"`;
    if (index === 0) throw new SessionConfigError(message);
    // It only verifies, until it is taken out of the list.
    process.emitWarning(message);
  }
}

let warned = false;

/** @throws SessionConfigError naming the option that is unknown, out of range or contradicts another. */
export function readSettings(options: SessionManagerOptions): Settings {
  checkOptions(CREATE, options, [
    ...(["driver", "idle", "absolute", "touchEvery", "cookie", "secrets", "rotation", "codec"] as const),
    ...(["maxBytes", "setup", "clock"] as const),
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
    setup = "auto",
    clock = Date.now,
  } = options;
  if (hasMethods(driver, "then"))
    throw new SessionConfigError("driver is a promise: await it, as in { driver: await driverFromUrl(url) }");
  const isDriver = hasMethods(driver, ...METHODS);
  checkOption(isDriver, "driver", `an object with the methods ${METHODS.join(", ")}`, driver);
  checkOption(typeof driver.name === "string", "driver.name", "a string", driver.name);
  const { maxRecordBytes } = driver;
  if (maxRecordBytes !== undefined) checkCount("driver.maxRecordBytes", maxRecordBytes);
  checkOption(typeof clock === "function", "clock", "a function", clock);
  checkCount("maxBytes", bytesOption);
  checkAmong("setup", setup, "auto", "manual");
  if (secrets !== undefined) checkSecrets(secrets);

  const codecs = codecsByName(codec);
  const idle = milliseconds("idle", idleOption);
  const absolute =
    absoluteOption === false ? Number.POSITIVE_INFINITY : milliseconds("absolute", absoluteOption);
  const touchEvery = milliseconds("touchEvery", touchOption ?? Math.min(Math.floor(idle / 10), 300_000), 0);
  checkOption(touchEvery < idle, "touchEvery", `less than idle, ${idle} ms`, touchOption);

  const environment = process.env["NODE_ENV"];
  const production = environment === "production";
  if (production && driver.name === "memory" && !warned) {
    warned = true;
    process.emitWarning(
      "Sessions in memory are lost at every restart, and no other process sees them: choose a driver",
    );
  }
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
    clock: () => Math.floor(clock()),
  };
}
