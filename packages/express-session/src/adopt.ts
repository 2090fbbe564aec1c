import type { Session } from "@sessions/core";
import { checkOption, createCall, refuseUnknown } from "@sessions/core/driver-tools";
import { signedIds } from "./signed-cookies.ts";
import { getFrom, keepFor, type StoreLike } from "./store-calls.ts";
import { takeTurn } from "./turns.ts";

/** Options of `adoptExpressSession`. */
export interface AdoptExpressSessionOptions<T extends object = Record<string, unknown>> {
  /** The store that express-session kept its sessions in. */
  readonly store: StoreLike;
  /** What express-session signed its cookies with: one text, or several, newest first. */
  readonly secret: string | readonly string[];
  /** The name of express-session's cookie. @default "connect.sid" */
  readonly name?: string | undefined;
  /** Where express-session's cookie was set otherwise than for `/` of this host: as it was told. */
  readonly cookie?: { readonly path?: string | undefined; readonly domain?: string | undefined } | undefined;
  /**
   * Stages into a new session what an old one held: `login`, and what belongs into the stores. Nothing, where the old one
   * is worth nothing. A promise is waited for; what it throws is the request's error, and the old one stays as it was.
   *
   * @param old what the application kept in `req.session`, without `cookie`.
   */
  map(old: T, session: Session): unknown;
}

/** A session of express-session, and one request's part in taking it over; what the adapters' `adopt` expects. */
export interface OldSession {
  /** Whether it is to be taken over, was taken over by another request a moment ago, or is no more. */
  readonly state: "live" | "adopted" | "gone";
  /** A Set-Cookie header's value that ends the old cookie. */
  readonly setCookie: string;
  /** Stages into a new session what the old one held. */
  stage(session: Session): unknown;
  /** Ends the old one; `false` where it was live no longer. */
  end(): Promise<boolean>;
  /** Lets the next request have it. */
  release(): void;
}

/** For so long what is left of an old session says that it was taken over. */
const LEFTOVER_MS = 120_000;
/** In what is left, when that was. No application has a key of this name. */
const ADOPTED = "@sessions/adopted";
/** An old store that takes longer is as good as down. */
const TIMEOUT_MS = 2000;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Whether a name, a path or a domain fits into a Set-Cookie header. */
const isCookieText = (value: unknown): boolean => isText(value) && /^[!-:<-~]+$/.test(value);

/**
 * Takes over the sessions that express-session kept, for the adapters' option `adopt`: who is logged in stays so. Each is
 * taken over once. Its cookie must be signed, and its store is not asked otherwise.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function adoptExpressSession<T extends object = Record<string, unknown>>(
  options: AdoptExpressSessionOptions<T>,
): (cookieHeader: string | undefined) => Promise<OldSession | undefined> {
  const { store, secret, name = "connect.sid", cookie = {}, map, ...rest } = options;
  const { path = "/", domain, ...more } = cookie;
  refuseUnknown("adoptExpressSession: ", rest);
  refuseUnknown("adoptExpressSession: cookie.", more);
  const secrets = [secret].flat();
  checkOption(typeof Object(store).get === "function", "store", "a store for express-session", typeof store);
  checkOption(
    secrets.length > 0 && secrets.every(isText),
    "secret",
    "one text, or a list of some",
    typeof secret,
  );
  checkOption(isCookieText(name) && !name.includes("="), "name", "a cookie's name", name);
  checkOption(isCookieText(path), "cookie.path", "a path", path);
  checkOption(domain === undefined || isCookieText(domain), "cookie.domain", "a domain", domain);
  checkOption(typeof map === "function", "map", "a function", typeof map);

  const call = createCall({ driver: "express-session", timeout: TIMEOUT_MS, translate: () => undefined });
  const setCookie = [
    `${name}=`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    `Path=${path}`,
    "Max-Age=0",
    "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "HttpOnly",
    // Browsers take no other cookie of such a name.
    ...(/^__(host|secure|http)-/i.test(name) ? ["Secure"] : []),
    "SameSite=Lax",
  ].join("; ");

  /** What there is of an old session; its data where it is live. */
  async function look(sid: string): Promise<{ state: OldSession["state"]; data?: T }> {
    const found = await call(() => getFrom(store, sid));
    if (typeof found !== "object") return { state: "gone" };
    const now = Date.now();
    const at: unknown = Reflect.get(found, ADOPTED);
    if (at !== undefined) return { state: now < Number(at) + LEFTOVER_MS ? "adopted" : "gone" };
    // What a store answers is a plain object, or a class's with the same keys.
    const { cookie: settings, ...data }: { cookie?: unknown } = found;
    const expires: unknown = Reflect.get(Object(settings), "expires");
    const isOver = (isText(expires) || expires instanceof Date) && new Date(expires).getTime() <= now;
    // That they are what the application kept there is its own word, as it was with express-session.
    return isOver ? { state: "gone" } : { state: "live", data: data as T };
  }

  async function end(sid: string): Promise<boolean> {
    // A logout may have been faster, or another process.
    if ((await look(sid)).state !== "live") return false;
    await call(() => keepFor(LEFTOVER_MS, store, sid, { [ADOPTED]: Date.now() }));
    return true;
  }

  return async (cookieHeader) => {
    let state: OldSession["state"] | undefined;
    for (const sid of signedIds(cookieHeader, name, secrets)) {
      const release = await takeTurn(store, sid);
      let data: T | undefined;
      try {
        const found = await look(sid);
        ({ state, data } = found);
      } finally {
        if (!data) release();
      }
      // Of several the first that leads anywhere counts.
      if (state === "adopted") break;
      if (!data) continue;
      const old = data;
      return {
        state: "live",
        setCookie,
        stage: (session) => map(old, session),
        end: () => end(sid),
        release,
      };
    }
    const nothing = () => undefined;
    return state && { state, setCookie, stage: nothing, end: async () => false, release: nothing };
  };
}
