import type { Driver, Duration } from "@sessions/core";
import { checkOption, checkOptions, milliseconds } from "@sessions/core/driver-tools";
import {
  createPrincipals,
  createWholeSessions,
  type PrincipalOf,
  passportUser,
  type Visit,
} from "@sessions/whole-sessions";

export type { PrincipalOf } from "@sessions/whole-sessions";

/** Options of {@link koaSessionStore}. */
export interface KoaSessionStoreOptions {
  /**
   * How long a session lives after its last write if its cookie ends with the browser (`maxAge: "session"`).
   * @default "24h"
   */
  readonly idle?: Duration | undefined;
  /**
   * `"auto"`: the first call that finds a table or the like missing waits for `driver.setup()`. `"manual"`: that call
   * fails with `ERR_SESSION_SETUP`; run `await driver.setup()` when you deploy.
   * @default "auto"
   */
  readonly setup?: "auto" | "manual" | undefined;
  /**
   * Whose a session is, by its data: a text or a number; anything else is nobody. It is stored in the same commit as the
   * data, and cleared when it goes.
   * @default (data) => data.passport?.user
   */
  readonly principal?: PrincipalOf | undefined;
}

/** What koa-session makes for each request, of its option `ContextStore`. */
export interface ContextStore {
  get(key: string): Promise<object | undefined>;
  set(key: string, session: object, maxAge: number | "session"): Promise<void>;
  destroy(key: string): Promise<void>;
}

/** What the store needs of Koa's `ctx`. */
export interface KoaContextLike {
  cookies: { set(name: string, ...rest: never[]): unknown };
  /** The visitor's session; `null` once the application has ended it. */
  readonly session?: unknown;
  /** Where koa-session keeps its options for this request. */
  readonly sessionOptions?: { readonly key?: string | undefined } | undefined;
}

/** What {@link koaSessionStore} makes. */
export interface KoaSessionStore {
  /** For the option `ContextStore` of koa-session. */
  readonly ContextStore: new (
    ctx: KoaContextLike,
  ) => ContextStore;
  /**
   * Ends all sessions of a user, and returns how many there were.
   *
   * @throws SessionError `ERR_SESSION_UNSUPPORTED` if the driver cannot list.
   */
  destroyAll(principal: string | number): Promise<number>;
  /** Whether a session is live, by the id in its cookie. */
  exists(key: string): Promise<boolean>;
}

/** The keys that koa-session adds to the data. They say when the session ends, and the record knows that. */
const ENDS = ["_expire", "_maxAge", "_session"];

/** Leaves the session's cookie out of the response while `isMuted()`: in the browser it could replace a newer one. */
function muteCookie(ctx: KoaContextLike, isMuted: () => boolean): void {
  const { cookies } = ctx;
  const muting: typeof cookies = Object.create(cookies);
  muting.set = (name, ...rest) => {
    if (!isMuted() || name !== ctx.sessionOptions?.key) cookies.set(name, ...rest);
    return muting;
  };
  ctx.cookies = muting;
}

/**
 * Makes a store for koa-session that keeps its sessions in a driver. Each request writes only the keys that it changed.
 * A session that has ended stays ended.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { memoryDriver } from "@sessions/core/memory";
 * import { koaSessionStore } from "@sessions/koa-session";
 * import Koa from "koa";
 * import session from "koa-session";
 *
 * const app = new Koa();
 * app.keys = [process.env.SESSION_SECRET ?? ""];
 * export const { ContextStore, destroyAll } = koaSessionStore(memoryDriver());
 * app.use(session({ ContextStore }, app));
 */
export function koaSessionStore(driver: Driver, options: KoaSessionStoreOptions = {}): KoaSessionStore {
  checkOptions("koaSessionStore", options, ["idle", "setup", "principal"]);
  checkOption(
    typeof Object(driver).load === "function",
    "driver",
    "a driver (await the promise if it comes from an async function)",
    typeof driver,
  );
  const { idle: given = "24h", setup = "auto", principal = passportUser } = options;
  checkOption(["auto", "manual"].includes(setup), "setup", '"auto" or "manual"', setup);
  checkOption(typeof principal === "function", "principal", "a function", principal);
  const idle = milliseconds("idle", given);
  const principalOf = createPrincipals(principal);
  const sessions = createWholeSessions(driver, {
    name: "koaSessionStore",
    prefix: "koa-session",
    setup,
    hostKeys: ENDS,
  });

  // koa-session wants a class, and makes an object of it for each request.
  class RequestStore implements ContextStore {
    readonly #visit: Visit = sessions.visit();
    readonly #ctx: KoaContextLike;
    #isMuted = false;

    constructor(ctx: KoaContextLike) {
      this.#ctx = ctx;
      muteCookie(ctx, () => this.#isMuted);
    }

    get(key: string): Promise<object | undefined> {
      return this.#visit.read(key);
    }

    async set(key: string, session: object, maxAge: number | "session"): Promise<void> {
      const data: Record<string, unknown> = { ...session };
      const expiresAt = Date.now() + (typeof maxAge === "number" ? maxAge : idle);
      const own = Object.fromEntries(Object.entries(data).filter(([name]) => !ENDS.includes(name)));
      this.#isMuted = !(await this.#visit.write(key, data, expiresAt, principalOf(own) ?? null));
    }

    async destroy(key: string): Promise<void> {
      const wasLive = await this.#visit.destroy(key);
      // koa-session clears the cookie now, also to regenerate. The next call of `set` decides about the new one.
      this.#isMuted = !wasLive && this.#ctx.session !== null;
    }
  }

  return { ContextStore: RequestStore, destroyAll: sessions.destroyAll, exists: sessions.exists };
}
