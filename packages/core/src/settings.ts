import { Buffer } from "node:buffer";
import { checkOption, isWhole, refuseUnknown } from "./check.ts";
import { type Codec, devalueCodec } from "./codec.ts";
import { type CookieOptions, type CookieSettings, cookieSettings } from "./cookie.ts";
import type { Driver } from "./driver.ts";
import { type Duration, milliseconds } from "./duration.ts";
import { SessionConfigError } from "./errors.ts";
import { memoryDriver } from "./memory.ts";
import type { Rotation } from "./turns.ts";

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
  /** Encodes one entry's value to text and back. @default devalueCodec */
  codec?: Codec | undefined;
  /** The most bytes that one session may hold, encoded. @default 1_048_576 */
  maxBytes?: number | undefined;
  /** Epoch milliseconds, for tests with the memory driver. @default Date.now */
  clock?: (() => number) | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly driver: Driver;
  readonly idle: number;
  /** `Infinity` for none. */
  readonly absolute: number;
  readonly touchEvery: number;
  readonly cookie: CookieSettings;
  readonly keys: readonly string[];
  readonly rotation: Rotation | undefined;
  readonly codec: Codec;
  readonly maxBytes: number;
  readonly clock: () => number;
}

const isFunction = (value: unknown): boolean => typeof value === "function";

function checkMethods(option: string, value: object, methods: readonly string[]): void {
  const fits = Object(value) === value && methods.every((method) => isFunction(Reflect.get(value, method)));
  checkOption(fits, option, `an object with the methods ${methods.join(", ")}`, value);
}

function readRotation(rotation: NonNullable<SessionManagerOptions["rotation"]>): Rotation {
  const { every, grace = "2m", onReuse = "destroy", ...rest } = rotation;
  refuseUnknown("rotation.", rest);
  checkOption(["destroy", "report"].includes(onReuse), "rotation.onReuse", '"destroy" or "report"', onReuse);
  const ms = milliseconds("rotation.grace", grace);
  return { every: milliseconds("rotation.every", every, 2 * ms), grace: ms, onReuse };
}

function checkSecrets(secrets: readonly string[]): void {
  // No message shows what was given.
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new SessionConfigError(
      "secrets must be a list of one key or more; leave it out to send tokens unsigned",
    );
  for (const [index, key] of secrets.entries())
    if (typeof key !== "string" || Buffer.byteLength(key) < 32)
      throw new SessionConfigError(`secrets[${index}] must be a string of at least 32 bytes`);
}

let warned = false;

/** @throws SessionConfigError naming the option that is unknown, out of range or contradicts another. */
export function readSettings({
  driver = memoryDriver(),
  idle: idleOption = "24h",
  absolute: absoluteOption = "30d",
  touchEvery: touchOption,
  cookie = {},
  secrets,
  rotation,
  codec = devalueCodec,
  maxBytes = 1_048_576,
  clock = Date.now,
  ...rest
}: SessionManagerOptions): Settings {
  refuseUnknown("", rest);
  checkMethods("driver", driver, ["create", "load", "commit", "destroy", "sweep"]);
  checkOption(typeof driver.name === "string", "driver.name", "a string", driver.name);
  const { maxRecordBytes } = driver;
  checkOption(
    maxRecordBytes === undefined || isWhole(maxRecordBytes, 1),
    "driver.maxRecordBytes",
    "a whole number of 1 or more",
    maxRecordBytes,
  );
  checkMethods("codec", codec, ["encode", "decode"]);
  checkOption(isFunction(clock), "clock", "a function", clock);
  checkOption(isWhole(maxBytes, 1), "maxBytes", "a whole number of 1 or more", maxBytes);
  checkOption(Object(cookie) === cookie, "cookie", "an object", cookie);
  checkOption(rotation === undefined || Object(rotation) === rotation, "rotation", "an object", rotation);
  if (secrets !== undefined) checkSecrets(secrets);

  const idle = milliseconds("idle", idleOption);
  const absolute =
    absoluteOption === false ? Number.POSITIVE_INFINITY : milliseconds("absolute", absoluteOption);
  const touchEvery = milliseconds("touchEvery", touchOption ?? Math.min(Math.floor(idle / 10), 300_000), 0);
  checkOption(touchEvery < idle, "touchEvery", `less than idle, ${idle} ms`, touchOption);

  const production = process.env["NODE_ENV"] === "production";
  if (production && driver.name === "memory" && !warned) {
    warned = true;
    process.emitWarning(
      "Sessions in memory are lost at every restart, and no other process sees them: choose a driver",
    );
  }
  return {
    driver,
    idle,
    absolute,
    touchEvery,
    cookie: cookieSettings(cookie, absolute, production),
    keys: [...(secrets ?? [])],
    rotation: rotation && readRotation(rotation),
    codec,
    maxBytes: Math.min(maxBytes, driver.maxRecordBytes ?? maxBytes),
    clock: () => Math.floor(clock()),
  };
}
