import type { Session } from "@sessions/core";
import { checkOption, checkOptions, createCall } from "@sessions/core/driver-tools";
import { createNotes, NOTE, NOTE_MS } from "./adopted-note.ts";
import { enqueue } from "./queue.ts";
import { signedIds } from "./signed-cookies.ts";
import { getFrom, keepFor, type StoreLike } from "./store-calls.ts";

/** How express-session set its cookie. */
export interface OldCookieOptions {
  /** @default "/" */
  readonly path?: string | undefined;
  /** @default none: this host alone */
  readonly domain?: string | undefined;
  /** @default false; true where its name's prefix, `sameSite: "none"` or `partitioned` need it */
  readonly secure?: boolean | undefined;
  /** @default "lax" */
  readonly sameSite?: "lax" | "strict" | "none" | undefined;
  /** @default false */
  readonly partitioned?: boolean | undefined;
}

/** Options of `adoptExpressSession`. */
export interface AdoptExpressSessionOptions<T extends object = Record<string, unknown>> {
  /** The store that express-session kept its sessions in. */
  readonly store: StoreLike;
  /** What express-session signed its cookies with: one text, or several, newest first. */
  readonly secret: string | readonly string[];
  /** The name of express-session's cookie. @default "connect.sid" */
  readonly name?: string | undefined;
  /** How express-session was told to set its cookie, as far as that was: browsers end it only with the same. */
  readonly cookie?: OldCookieOptions | undefined;
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
  /** Where it was taken over: the id of the session that did, if one was stored. */
  readonly successor: string | undefined;
  /** Where it was taken over: the response with the new cookie is still on its way, from this process. */
  readonly underWay: boolean;
  /** A Set-Cookie header's value that ends the old cookie. */
  readonly setCookie: string;
  /** Stages into a new session what the old one held. */
  stage(session: Session): unknown;
  /** Ends the old one, and notes what took it over; `false` where it was live no longer. */
  end(successor: string | undefined): Promise<boolean>;
  /** Lets the next request have it. */
  release(): void;
  /** The response with the new cookie is over. */
  delivered(): void;
}

/** What a store has under an old id. */
interface Found<T> {
  readonly state: OldSession["state"];
  readonly successor?: string | undefined;
  readonly data?: T;
}

/** An old store that takes longer is as good as down. */
const TIMEOUT_MS = 2000;
/** And so is a request that keeps the others waiting for so long: `map` may have questions of its own. */
const PATIENCE_MS = 10_000;

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
  checkOptions("adoptExpressSession", options, ["store", "secret", "name", "cookie", "map"]);
  const { store, secret, name = "connect.sid", cookie = {}, map } = options;
  const attributes = ["path", "domain", "secure", "sameSite", "partitioned"] as const;
  checkOptions("adoptExpressSession", cookie, attributes, "cookie.");
  const { path = "/", domain, secure = false, sameSite = "lax", partitioned = false } = cookie;
  const [newest = "", ...older] = [secret].flat();
  const secrets = [newest, ...older];
  checkOption(typeof Object(store).get === "function", "store", "a store for express-session", typeof store);
  checkOption(secrets.every(isText), "secret", "one text, or a list of some", typeof secret);
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
    // Browsers take no other cookie of such a name, or of these kinds.
    ...(secure || partitioned || sameSite === "none" || /^__(host|secure|http)-/i.test(name)
      ? ["Secure"]
      : []),
    `SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`,
    ...(partitioned ? ["Partitioned"] : []),
  ].join("; ");
  /** By old id, what took it over, until the response with its cookie has arrived. */
  const underWay = new Map<string, string>();

  /** What there is of an old session; its data where it is live. */
  async function look(sid: string): Promise<Found<T>> {
    const found = await call(() => getFrom(store, sid));
    if (typeof found !== "object") return { state: "gone" };
    // A visitor may have written there: what is not signed is no note, and no live session either.
    if (NOTE in found) {
      const note = notes.read(sid, Reflect.get(found, NOTE));
      return note ? { state: "adopted", ...note } : { state: "gone" };
    }
    // What a store answers is a plain object, or a class's with the same keys.
    const { cookie: settings, ...data }: { cookie?: unknown } = found;
    const expires: unknown = Reflect.get(Object(settings), "expires");
    const isOver = (isText(expires) || expires instanceof Date) && new Date(expires).getTime() <= Date.now();
    // That they are what the application kept there is its own word, as it was with express-session.
    return isOver ? { state: "gone" } : { state: "live", data: data as T };
  }

  async function end(sid: string, successor: string | undefined): Promise<boolean> {
    // A logout may have been faster, or another process.
    if ((await look(sid)).state !== "live") return false;
    const note = notes.write(sid, successor);
    await call(() => keepFor(NOTE_MS, store, sid, { [NOTE]: note }));
    if (successor !== undefined) underWay.set(sid, successor);
    return true;
  }

  return async (cookieHeader) => {
    let answer: OldSession | undefined;
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
      const { state, successor, data } = found;
      answer = {
        state,
        successor,
        underWay: successor !== undefined && underWay.get(sid) === successor,
        setCookie,
        stage: (session) => data && map(data, session),
        end: (by) => end(sid, by),
        release,
        delivered: () => underWay.delete(sid),
      };
      // Of several the first that leads anywhere counts.
      if (state !== "gone") break;
      release();
    }
    return answer;
  };
}
