import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { OldStore, Secret } from "@sessions/adopting";
import { type Driver, type Duration, SessionConfigError } from "@sessions/core";
import { checkOption, checkOptions, milliseconds } from "@sessions/core/driver-tools";
import { type PrincipalOf, passportUser } from "@sessions/whole-sessions";
import { driverOf } from "../store.ts";
import type { SessionCookieOptions } from "./cookie.ts";
import type { ReadCallback } from "./stores.ts";

/** A store for express-session: those of npm, and those of `expressSessionStore()`. */
interface StoreForExpress {
  get(sid: string, callback: ReadCallback): unknown;
  set(sid: string, session: never, callback?: (error?: unknown) => void): unknown;
  destroy(sid: string, callback?: (error?: unknown) => void): unknown;
}

// Types of methods, so that functions that take Express's request fit too.
type CookieOf = { of(req: IncomingMessage): SessionCookieOptions }["of"];
type Genid = { of(req: IncomingMessage): string }["of"];

/** Options of `session()`. */
export interface SessionOptions {
  /** The driver that keeps the sessions. @default memoryDriver() */
  driver?: Driver | undefined;
  /** A store of express-session, in place of a driver: as express-session, without the promises of a driver. */
  store?: StoreForExpress | undefined;
  /**
   * The store that express-session had: its sessions are taken over while their visitors come. Only with a driver.
   * @default none
   */
  from?: StoreForExpress | undefined;
  /** Signs the cookie; several as a list, newest first. @default `req.secret`, which cookie-parser sets */
  secret?: Secret | readonly Secret[] | undefined;
  /** The cookie's name. @default "connect.sid" */
  name?: string | undefined;
  /** The old word for `name`. */
  key?: string | undefined;
  /** The settings of the cookie, or a function that returns them for a request. */
  cookie?: SessionCookieOptions | CookieOf | undefined;
  /** Makes the id of a new session. It must not be guessed. @default 24 random bytes */
  genid?: Genid | undefined;
  /** Write sessions that did not change. With a driver nothing is ever written again. @default true */
  resave?: boolean | undefined;
  /** Store new sessions that hold nothing. @default true */
  saveUninitialized?: boolean | undefined;
  /** Send the cookie with every response. @default false */
  rolling?: boolean | undefined;
  /** Whether `req.session = null` ends the session. @default "keep" */
  unset?: "destroy" | "keep" | undefined;
  /** `true` trusts `X-Forwarded-Proto`, `false` only the socket. @default Express's `trust proxy` */
  proxy?: boolean | undefined;
  /** How long a session lives after its last use if its cookie ends with the browser. Only with a driver. @default "24h" */
  idle?: Duration | undefined;
  /** Whose a session is: a text or a number; anything else is nobody. @default (data) => data.passport?.user */
  principal?: PrincipalOf | undefined;
  /** As for `createSessionManager()`. @default "auto" */
  setup?: "auto" | "manual" | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly secrets: readonly Secret[];
  readonly name: string;
  readonly cookie: SessionCookieOptions | CookieOf;
  readonly genid: Genid;
  readonly resave: boolean;
  readonly saveUninitialized: boolean;
  readonly rolling: boolean;
  readonly unset: "destroy" | "keep";
  readonly proxy: boolean | undefined;
  readonly idle: number;
  readonly principal: PrincipalOf;
  readonly setup: "auto" | "manual";
  readonly from: OldStore | undefined;
}

const SESSION = "session";
const DRIVER_ONLY = ["idle", "principal", "setup", "from"] as const;

/** An id of 24 random bytes. */
export const newId = (): string => randomBytes(24).toString("base64url");

/** @throws SessionConfigError that names the option, if one is unknown or out of range. */
export function readOptions(options: SessionOptions): Settings {
  checkOptions(SESSION, options, [
    ...(["driver", "store", "secret", "name", "key", "cookie", "genid", "resave"] as const),
    ...(["saveUninitialized", "rolling", "unset", "proxy", ...DRIVER_ONLY] as const),
  ]);
  const { driver, store, secret, name, key, cookie, genid = newId, resave, saveUninitialized } = options;
  const { rolling, unset, proxy } = options;
  // A store over a driver has options of its own, which count where none is given here.
  const known = store && driverOf(store)?.settings;
  const {
    idle = known?.idle ?? "24h",
    principal = known?.principal ?? passportUser,
    setup = known?.setup ?? "auto",
    from = known?.from,
  } = options;
  const isGiven = (option: keyof SessionOptions): boolean => options[option] !== undefined;
  if (driver && store) throw new SessionConfigError("session: give driver or store, not both");
  const refused = store && !known && DRIVER_ONLY.find(isGiven);
  if (refused) throw new SessionConfigError(`session: ${refused} needs driver in place of store`);
  for (const [option, given] of Object.entries({ store, from }))
    checkOption(
      !given || (typeof given.get === "function" && typeof Reflect.get(given, "on") === "function"),
      `session: ${option}`,
      "a store for express-session",
      typeof given,
    );
  checkOption(typeof genid === "function", "session: genid", "a function", genid);
  checkOption(
    [undefined, "", "destroy", "keep"].includes(unset),
    "session: unset",
    '"destroy" or "keep"',
    unset,
  );
  checkOption(typeof principal === "function", "session: principal", "a function", principal);
  checkOption(["auto", "manual"].includes(setup), "session: setup", '"auto" or "manual"', setup);
  if (Array.isArray(secret) && secret.length === 0)
    throw new SessionConfigError("session: the secret option array must contain one or more strings");
  if (typeof cookie === "object" && cookie) checkCookie(cookie);
  return {
    secrets: (Array.isArray(secret) ? secret : [secret]).filter(Boolean),
    name: name || key || "connect.sid",
    cookie: cookie ?? {},
    genid,
    resave: resave ?? true,
    saveUninitialized: saveUninitialized ?? true,
    rolling: Boolean(rolling),
    unset: unset || "keep",
    proxy,
    idle: milliseconds("idle", idle),
    principal,
    setup,
    from,
  };
}

function checkCookie(cookie: SessionCookieOptions): void {
  checkOptions(
    SESSION,
    cookie,
    [
      ...(["maxAge", "expires", "httpOnly", "path", "domain", "secure", "sameSite", "priority"] as const),
      ...(["partitioned", "signed", "encode"] as const),
    ],
    "cookie.",
  );
}
