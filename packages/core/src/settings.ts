import { Buffer } from "node:buffer";
import { type Codec, devalueCodec } from "./codec.ts";
import { type CookieOptions, type CookieSettings, cookieSettings } from "./cookie.ts";
import type { Driver } from "./driver.ts";
import { type Duration, milliseconds, show } from "./duration.ts";
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

const KNOWN = [
  "driver",
  "idle",
  "absolute",
  "touchEvery",
  "cookie",
  "secrets",
  "rotation",
  "codec",
  "maxBytes",
  "clock",
];
const METHODS = ["create", "load", "commit", "destroy", "sweep"];

function refuseUnknown(prefix: string, options: object, known: readonly string[]): void {
  for (const option of Object.keys(options))
    if (!known.includes(option))
      throw new SessionConfigError(`Unknown option ${prefix}${option}; known are ${known.join(", ")}`);
}

const hasMethods = (value: unknown, methods: readonly string[]): boolean =>
  typeof value === "object" &&
  value !== null &&
  methods.every((method) => typeof Reflect.get(value, method) === "function");

function readRotation({
  every,
  grace = "2m",
  onReuse = "destroy",
  ...rest
}: NonNullable<SessionManagerOptions["rotation"]>): Rotation {
  refuseUnknown("rotation.", rest, ["every", "grace", "onReuse"]);
  if (onReuse !== "destroy" && onReuse !== "report")
    throw new SessionConfigError(`rotation.onReuse must be "destroy" or "report"; got ${show(onReuse)}`);
  const graceMs = milliseconds("rotation.grace", grace);
  return { every: milliseconds("rotation.every", every, 2 * graceMs), grace: graceMs, onReuse };
}

function readSecrets(secrets: readonly string[]): readonly string[] {
  // The message counts, for a secret must not be shown.
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new SessionConfigError(
      "secrets must be a list of at least one key; leave it out to send tokens unsigned",
    );
  secrets.forEach((key: unknown, index) => {
    if (typeof key !== "string" || Buffer.byteLength(key) < 32)
      throw new SessionConfigError(`secrets[${index}] must be a string of at least 32 bytes`);
  });
  return [...secrets];
}

let warned = false;

/** @throws SessionConfigError naming the option that is unknown, out of range or contradicts another. */
export function readSettings(options: SessionManagerOptions): Settings {
  refuseUnknown("", options, KNOWN);
  const { driver = memoryDriver(), codec = devalueCodec, maxBytes = 1_048_576, clock = Date.now } = options;
  if (!hasMethods(driver, METHODS) || typeof driver.name !== "string")
    throw new SessionConfigError(
      `driver must be a driver, with a name and the methods ${METHODS.join(", ")}`,
    );
  if (!hasMethods(codec, ["encode", "decode"]))
    throw new SessionConfigError("codec must have encode and decode");
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
    throw new SessionConfigError(`maxBytes must be a whole number of 1 or more; got ${show(maxBytes)}`);
  if (typeof clock !== "function")
    throw new SessionConfigError(`clock must be a function; got ${show(clock)}`);

  const idle = milliseconds("idle", options.idle ?? "24h");
  const absolute =
    options.absolute === false
      ? Number.POSITIVE_INFINITY
      : milliseconds("absolute", options.absolute ?? "30d");
  const touchEvery = milliseconds(
    "touchEvery",
    options.touchEvery ?? Math.min(Math.floor(idle / 10), 300_000),
    0,
  );
  if (touchEvery >= idle)
    throw new SessionConfigError(
      `touchEvery must be less than idle (${idle} ms); got ${show(options.touchEvery)}`,
    );

  const production = process.env["NODE_ENV"] === "production";
  if (production && driver.name === "memory" && !warned) {
    warned = true;
    process.emitWarning(
      "Sessions are kept in memory: they are lost at every restart, and no other process sees them. Give createSessionManager a driver.",
      { code: "ERR_SESSION_MEMORY" },
    );
  }
  return {
    driver,
    idle,
    absolute,
    touchEvery,
    cookie: cookieSettings(options.cookie ?? {}, absolute, production),
    keys: options.secrets === undefined ? [] : readSecrets(options.secrets),
    rotation: options.rotation && readRotation(options.rotation),
    codec,
    maxBytes: Math.min(maxBytes, driver.maxRecordBytes ?? maxBytes),
    clock,
  };
}
