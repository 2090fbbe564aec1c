import type { IncomingMessage, ServerResponse } from "node:http";
import { type CommitResult, type Session, SessionConfigError, type SessionManager } from "@sessions/core";
import { checkManager, checkOption, checkOptions } from "@sessions/core/adapter-tools";
import { serialize } from "@sessions/core/driver-tools";
import { type CookieStore, cookieStoreJar, type Jar, nodeJar, sendResult, webJar } from "./jar.ts";

/**
 * Options of {@link getIronSession}, in one place for the whole application.
 *
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import type { SessionOptions } from "@sessions/iron-session";
 *
 * export const sessionOptions: SessionOptions<{ userId: string }> = {
 *   sessions: createSessionManager(),
 *   principal: ({ userId }) => userId,
 * };
 */
export interface SessionOptions<T extends object = object> {
  /** The manager of the sessions. It has the settings of the cookie, and the timeouts. */
  readonly sessions: SessionManager;
  /**
   * In seconds: the session ends this long after its last `save()`, however much it is used. The manager's absolute
   * timeout may end it earlier.
   * @default none: the manager's timeouts alone
   */
  readonly ttl?: number | undefined;
  /** The name of the session's store that holds the data. @default "iron-session" */
  readonly store?: string | undefined;
  /**
   * Returns the user that the data names. A `save()` that stores a new user logs in: the session gets a new id, and
   * `sessions.destroyAll({ principal })` reaches it.
   * @default none: the application calls `sessionOf(session).login()` where it wants that
   */
  principal?(data: Partial<T>): string | undefined;
}

/** A session's data, and what can be done with it. Every key may be absent: a new session is empty. */
export type IronSession<T> = Partial<T> & {
  /**
   * Stores what changed, and sets the cookie if the browser needs one. A key that is deleted or `undefined` is removed.
   * @throws TypeError There is data again after `destroy()`, or a value cannot be stored.
   * @throws SessionError `ERR_SESSION_HEADERS_SENT`: a new session, and the response's headers have gone out.
   * @throws DriverUnavailableError The backend cannot be reached.
   */
  readonly save: () => Promise<void>;
  /**
   * Ends the session in the backend, so that no copy of its cookie opens anything, and removes the cookie. Await it.
   * @throws DriverUnavailableError The backend cannot be reached. The session may not have ended.
   */
  readonly destroy: () => Promise<void>;
  /** Replaces `ttl` and `principal` for the next `save()`. `sessions` and `store` must stay the same. */
  readonly updateConfig: (options: SessionOptions<T & object>) => void;
};

/** The managed session of each session that {@link getIronSession} returned. */
const managed = new WeakMap<object, Session>();

function readOptions<T extends object>(options: SessionOptions<T>): SessionOptions<T> & { store: string } {
  checkOptions("getIronSession", options, ["sessions", "ttl", "store", "principal"]);
  const { sessions, ttl, store = "iron-session" } = options;
  checkManager("getIronSession", sessions);
  const isTime = ttl === undefined || (Number.isFinite(ttl) && ttl > 0);
  checkOption(isTime, "getIronSession: ttl", "a number of seconds above 0", ttl);
  return { ...options, store };
}

async function openSession<T extends object>(jar: Jar, given: SessionOptions<T>): Promise<IronSession<T>> {
  let config = readOptions(given);
  const { sessions } = config;
  const session = await sessions.open(jar.header, jar.options);
  const store = session.store<Record<string, unknown>>(config.store);
  /** The data as this request has read or saved it last. */
  let known = new Map<string, unknown>(store);
  const data: object = Object.fromEntries(known);
  let isEnded = false;

  // A request that only reads keeps the session alive too.
  const touched = await session.commit();
  try {
    sendResult(jar, touched);
  } catch {
    // While Next.js renders a page, no cookie can be set. A token of a periodic rotation is then sent another time.
  }

  function stage(wanted: ReadonlyMap<string, unknown>): void {
    for (const key of known.keys()) if (!wanted.has(key)) store.delete(key);
    // The store itself notices an object that was changed in place.
    for (const [key, value] of wanted) if (!Object.is(known.get(key), value)) store.set(key, value);
  }

  async function commit(wanted: ReadonlyMap<string, unknown>): Promise<void> {
    // From here on a first write throws, because no cookie can be sent for it.
    if (jar.isSent()) await session.commit({ seal: true });
    // The type of the data is the application's claim.
    const user = config.principal?.(Object.fromEntries(wanted) as Partial<T>);
    if (user !== undefined && user !== session.principal) {
      // A login takes over no data of another user, but here it is the application that replaces one by the other.
      if (session.principal !== undefined) known = new Map();
      session.login(user);
    }
    stage(wanted);
    if (config.ttl !== undefined) session.setExpiry(new Date(Date.now() + config.ttl * 1000));
    let result: CommitResult;
    try {
      result = await session.commit();
    } catch (error) {
      // The store has dropped what was staged, and no longer knows the objects that were changed in place.
      for (const [key, value] of known) if (Object(value) === value) known.set(key, undefined);
      throw error;
    }
    known = new Map(wanted);
    sendResult(jar, result);
  }

  async function save(): Promise<void> {
    const wanted = new Map(Object.entries(data).filter(([, value]) => value !== undefined));
    const comesLate = isEnded;
    if (comesLate && wanted.size > 0)
      throw new TypeError("save() after destroy() with new data. Get a new session by getIronSession()");
    // One after another, because a session cannot log in while a commit is under way. A save() after a destroy() that
    // was not awaited, as with iron-session, stores nothing and waits for it.
    await serialize(session, async () => {
      if (!comesLate) await commit(wanted);
    });
  }

  async function destroy(): Promise<void> {
    isEnded = true;
    for (const key of Object.keys(data)) Reflect.deleteProperty(data, key);
    await serialize(session, async () => {
      await session.logout();
      sendResult(jar, await session.commit());
    });
  }

  function updateConfig(options: SessionOptions<T>): void {
    const next = readOptions(options);
    if (next.sessions !== sessions || next.store !== config.store)
      throw new SessionConfigError("updateConfig: sessions and store must be those of getIronSession()");
    config = next;
  }

  Object.defineProperties(data, {
    save: { value: save },
    destroy: { value: destroy },
    updateConfig: { value: updateConfig },
  });
  managed.set(data, session);
  return data as IronSession<T>;
}

/**
 * Opens the session of a request: an object with the data, `save()`, `destroy()` and `updateConfig()`, as iron-session
 * has it. The data is in the manager's backend. A save writes only the top-level keys that changed, so that overlapping
 * requests lose nothing of each other, and a session that was destroyed stays destroyed.
 *
 * @throws TypeError `sessions` is not a session manager, or the store's name is bad.
 * @throws SessionConfigError An option is unknown or wrong.
 * @throws DriverUnavailableError The backend cannot be reached.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { type CookieStore, getIronSession } from "@sessions/iron-session";
 *
 * const sessions = createSessionManager();
 * declare const cookies: () => Promise<CookieStore>; // of next/headers
 *
 * export async function logIn(userId: string): Promise<void> {
 *   const session = await getIronSession<{ userId: string }>(await cookies(), { sessions });
 *   session.userId = userId;
 *   await session.save();
 * }
 */
export function getIronSession<T extends object>(
  cookies: CookieStore,
  options: SessionOptions<T>,
): Promise<IronSession<T>>;
/**
 * The same for a request and its response: of the Fetch API (`Headers` will do), or of Node, Express and the pages
 * router of Next.js.
 */
export function getIronSession<T extends object>(
  request: IncomingMessage | Request,
  response: ServerResponse | Response | Headers,
  options: SessionOptions<T>,
): Promise<IronSession<T>>;
export async function getIronSession<T extends object>(
  ...args:
    | [CookieStore, SessionOptions<T>]
    | [IncomingMessage | Request, ServerResponse | Response | Headers, SessionOptions<T>]
): Promise<IronSession<T>> {
  if (args.length === 2) {
    const [cookies, options] = args;
    const config = readOptions(options);
    return openSession(cookieStoreJar(config.sessions, cookies), config);
  }
  const [request, response, options] = args;
  const config = readOptions(options);
  if (isNodeRequest(request) && isNodeResponse(response))
    return openSession(nodeJar(config.sessions, request, response), config);
  if (!isNodeRequest(request) && !isNodeResponse(response))
    return openSession(webJar(config.sessions, request, response), config);
  throw new TypeError("getIronSession: request and response must both be of Node, or both of the Fetch API");
}

const isNodeRequest = (request: IncomingMessage | Request): request is IncomingMessage => "socket" in request;
const isNodeResponse = (response: ServerResponse | Response | Headers): response is ServerResponse =>
  "setHeader" in response;

/**
 * Returns the session of `@sessions/core` behind a session of this package, for what iron-session's has not: the
 * principal, `login()`, `rotate()`, other stores. A `save()` commits it too.
 *
 * @throws TypeError The session is not from {@link getIronSession}.
 * @example
 * import { type IronSession, sessionOf } from "@sessions/iron-session";
 *
 * export async function logIn(session: IronSession<object>, userId: string): Promise<void> {
 *   sessionOf(session).login(userId);
 *   await session.save();
 * }
 */
export function sessionOf(session: object): Session {
  const found = managed.get(session);
  if (!found) throw new TypeError("The session is not from getIronSession() of @sessions/iron-session");
  return found;
}
