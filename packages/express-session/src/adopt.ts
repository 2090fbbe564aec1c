import type { Session } from "@sessions/core";
// From core and not from @sessions/adapter-node, whose declarations of `req.session` collide with
// @types/express-session.
import type { Adoption } from "@sessions/core/adapter-tools";
import { checkOption, checkOptions, createCall } from "@sessions/core/driver-tools";
import { createNotes, NOTE, NOTE_MS } from "./adopted-note.ts";
import type { StoredSession } from "./layout.ts";
import { enqueue } from "./queue.ts";
import { signedIds } from "./signed-cookies.ts";
import { fromCallback, getFrom, keepFor, type StoreLike } from "./store-calls.ts";

/**
 * The attributes with which express-session set its cookie. A browser removes a cookie only if the name, `path` and
 * `domain` of the new header are the same, and accepts the header only if the other attributes fit them.
 */
export interface OldCookieOptions {
  /** The path of the old cookie. @default "/" */
  readonly path?: string | undefined;
  /** The domain of the old cookie. @default none: the host that set it */
  readonly domain?: string | undefined;
  /**
   * Whether the old cookie was for https only.
   * @default false; true if the name's prefix (`__Host-`), `sameSite: "none"` or `partitioned` needs it
   */
  readonly secure?: boolean | undefined;
  /** Which requests of other sites carried the old cookie. @default "lax" */
  readonly sameSite?: "lax" | "strict" | "none" | undefined;
  /** Whether the old cookie was partitioned (CHIPS). @default false */
  readonly partitioned?: boolean | undefined;
}

/** Options of {@link adoptExpressSession}. */
export interface AdoptExpressSessionOptions<T extends object = Record<string, unknown>> {
  /** The store that was given to express-session. */
  readonly store: StoreLike;
  /** The secret that was given to express-session; several secrets as a list, newest first. */
  readonly secret: string | readonly string[];
  /** The name of the old cookie. @default "connect.sid" */
  readonly name?: string | undefined;
  /** The attributes of the old cookie, as far as they were given to express-session. */
  readonly cookie?: OldCookieOptions | undefined;
  /**
   * Stages the old session's data into a new session: calls `session.login()`, and fills its stores. It may stage
   * nothing if the old session holds nothing of value. A returned promise is awaited. An error is the request's error,
   * and leaves the old session as it was.
   *
   * @param old The application's data in `req.session`, without `cookie`.
   * @param session The new session.
   */
  map(old: T, session: Session): unknown;
}

/**
 * A session of express-session, for one request that may take it over: the type {@link Adoption} of
 * `@sessions/core/adapter-tools`, which the adapters' option `adopt` expects.
 */
export type OldSession = Adoption;

/** The result of looking up an old id in the store. */
interface Found<T> {
  readonly state: OldSession["state"];
  readonly successor?: string | undefined;
  readonly data?: T;
  /** The whole session, to be stored again. */
  readonly session?: StoredSession;
}

/** The most that a call of the old store can take; a slower store counts as down. */
const TIMEOUT_MS = 2000;
/**
 * The most that a request can keep others waiting for the same old session. It is long because `map` may query a
 * database.
 */
const PATIENCE_MS = 10_000;

const isNonEmpty = (value: unknown): value is string => typeof value === "string" && value !== "";

/** Whether a name, a path or a domain fits into a `Set-Cookie` header. */
const isCookieText = (value: unknown): boolean => isNonEmpty(value) && /^[!-:<-~]+$/.test(value);

/**
 * Takes over the sessions of express-session, so that users stay logged in while a site moves. The result is for the
 * option `adopt` of every adapter. Each old session is taken over once. A cookie without a valid signature
 * is ignored, and costs no read of the old store.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { adoptExpressSession, type StoreLike } from "@sessions/express-session";
 *
 * declare const oldStore: StoreLike; // the store that express-session had
 * export const adopt = adoptExpressSession({
 *   store: oldStore,
 *   secret: process.env.SESSION_SECRET ?? "",
 *   map(old: { userId?: string }, session) {
 *     if (old.userId) session.login(old.userId);
 *   },
 * });
 */
export function adoptExpressSession<T extends object = Record<string, unknown>>(
  options: AdoptExpressSessionOptions<T>,
): (cookieHeader: string | undefined) => Promise<OldSession | undefined> {
  checkOptions("adoptExpressSession", options, ["store", "secret", "name", "cookie", "map"]);
  const { store, secret, name = "connect.sid", cookie = {}, map } = options;
  const attributes = ["path", "domain", "secure", "sameSite", "partitioned"] as const;
  checkOptions("adoptExpressSession", cookie, attributes, "cookie.");
  const { path = "/", domain, secure = false, sameSite = "lax", partitioned = false } = cookie;
  const [newest = "", ...older] = [secret].flat();
  const secrets = [newest, ...older];
  checkOption(typeof Object(store).get === "function", "store", "a store for express-session", typeof store);
  checkOption(secrets.every(isNonEmpty), "secret", "a non-empty string, or a list of them", typeof secret);
  checkOption(isCookieText(name) && !name.includes("="), "name", "a cookie's name", name);
  checkOption(isCookieText(path), "cookie.path", "a path", path);
  checkOption(domain === undefined || isCookieText(domain), "cookie.domain", "a domain", domain);
  checkOption([true, false].includes(secure), "cookie.secure", "true or false", secure);
  checkOption(
    ["lax", "strict", "none"].includes(sameSite),
    "cookie.sameSite",
    "lax, strict or none",
    sameSite,
  );
  checkOption([true, false].includes(partitioned), "cookie.partitioned", "true or false", partitioned);
  checkOption(typeof map === "function", "map", "a function", typeof map);

  const notes = createNotes(newest, older);
  const call = createCall({ driver: "express-session", timeout: TIMEOUT_MS, translate: () => undefined });
  const setCookie = [
    `${name}=`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    `Path=${path}`,
    "Max-Age=0",
    "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "HttpOnly",
    // Browsers refuse such cookies without Secure.
    ...(secure || partitioned || sameSite === "none" || /^__(host|secure|http)-/i.test(name)
      ? ["Secure"]
      : []),
    `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`,
    ...(partitioned ? ["Partitioned"] : []),
  ].join("; ");
  /** The new session by the old id, until the response with the new cookie has ended. */
  const underWay = new Map<string, string>();

  /** Looks an old session up. The result has `data` if the session is live. */
  async function look(sid: string): Promise<Found<T>> {
    const found = await call(() => getFrom(store, sid));
    if (typeof found !== "object") return { state: "gone" };
    // A visitor may have written this key. Without a valid signature the session is neither adopted nor live.
    if (NOTE in found) {
      const note = notes.read(sid, Reflect.get(found, NOTE));
      return note ? { state: "adopted", ...note } : { state: "gone" };
    }
    // Stores return a plain object, or an instance of a class with the same keys.
    const { cookie: settings, ...data }: { cookie?: unknown } = found;
    const expires: unknown = Reflect.get(Object(settings), "expires");
    const expiry = isNonEmpty(expires) || expires instanceof Date ? new Date(expires) : null;
    const isOver = expiry !== null && expiry.getTime() <= Date.now();
    const session = { ...data, cookie: { originalMaxAge: null, ...Object(settings), expires: expiry } };
    // Not checked: the type T is the claim of the application, as with express-session.
    return isOver ? { state: "gone" } : { state: "live", data: data as T, session };
  }

  async function end(sid: string, successor: string | undefined): Promise<boolean> {
    // Another process, or a logout, may have ended it since.
    if ((await look(sid)).state !== "live") return false;
    const note = notes.write(sid, successor);
    await call(() => keepFor(NOTE_MS, store, sid, { [NOTE]: note }));
    if (successor !== undefined) underWay.set(sid, successor);
    return true;
  }

  return async (cookieHeader) => {
    let result: OldSession | undefined;
    for (const sid of signedIds(cookieHeader, name, secrets)) {
      const { first, release } = enqueue(store, sid, PATIENCE_MS);
      let found: Found<T>;
      try {
        await call(() => first, PATIENCE_MS);
        found = await look(sid);
      } catch (error) {
        release();
        throw error;
      }
      const { state, successor, data, session } = found;
      result = {
        state,
        successor,
        underWay: successor !== undefined && underWay.get(sid) === successor,
        setCookie,
        stage: (session) => data && map(data, session),
        end: (by) => end(sid, by),
        undo: async () => {
          if (session) await call(() => fromCallback((done) => store.set(sid, session, done)));
        },
        release,
        delivered: () => underWay.delete(sid),
      };
      // Of several cookies the first one that names a session counts.
      if (state !== "gone") break;
      release();
    }
    return result;
  };
}
