import { AsyncLocalStorage } from "node:async_hooks";
import { withSession } from "@sessions/adapter-fetch";
import type { Session as ManagedSession, SessionManager } from "@sessions/core";
import {
  type Adopt,
  checkManager,
  checkOption,
  checkOptions,
  cookieSettingsOf,
} from "@sessions/core/adapter-tools";
import { serialize } from "@sessions/core/driver-tools";
import type { MiddlewareFunction, RouterContext, Session, SessionData, SessionStorage } from "react-router";
import { sessionOf, storesOf, wasUsed, wrapSession } from "./wrapped-session.ts";

/**
 * Options of {@link createSessionStorage}.
 *
 * @example
 * import type { SessionStorageOptions } from "@sessions/react-router";
 *
 * export const options: SessionStorageOptions<{ userId: string }> = { principal: ({ userId }) => userId };
 */
export interface SessionStorageOptions<Data = SessionData, FlashData = Data> {
  /**
   * Keeps users logged in while a site moves: `adoptReactRouterSession` of `@sessions/adopt`. It acts in
   * `sessionMiddleware`. Remove it once the old cookies have expired.
   * @default none
   */
  readonly adopt?: Adopt | undefined;
  /** Where `sessionMiddleware` puts the session, for `context.get()` in loaders and actions. @default none */
  readonly context?: RouterContext<Session<Data, FlashData>> | undefined;
  /**
   * Returns the user that the data names. Before a commit that stores a new user, the session logs in: it gets a new
   * id, and `sessions.destroyAll({ principal })` reaches it.
   * @default none: the application calls `sessionOf(session).login()` where it wants that
   */
  readonly principal?: ((data: Partial<Data>) => string | undefined) | undefined;
  /** The name of the session's store that holds the data. Two storages of one manager need two names. @default "react-router" */
  readonly store?: string | undefined;
}

/** What {@link createSessionStorage} returns: React Router's `SessionStorage`, and a middleware. */
export interface ManagedSessionStorage<Data = SessionData, FlashData = Data>
  extends SessionStorage<Data, FlashData> {
  /**
   * For `export const middleware` of the root route. All loaders and actions of a request share one session, whether
   * they get it from the context or by `getSession()`. It is committed before the response goes out.
   */
  readonly sessionMiddleware: MiddlewareFunction<Response>;
}

/** The session of the request that is being handled, and the request's Cookie header. */
interface Running<Data, FlashData> {
  readonly cookieHeader: string;
  readonly session: Session<Data, FlashData>;
}

/** Returns the response without cookies of that name, and without the empty ones of a commit that sends none. */
function withoutCookie(response: Response, name: string): Response {
  const cookies = response.headers.getSetCookie();
  const others = cookies.filter((line) => line !== "" && !line.startsWith(`${name}=`));
  if (others.length === cookies.length) return response;
  const copy = new Response(response.body, response);
  copy.headers.delete("Set-Cookie");
  for (const line of others) copy.headers.append("Set-Cookie", line);
  return copy;
}

/**
 * Creates a `SessionStorage` of React Router over a session manager. It takes the place of `createSessionStorage`,
 * `createCookieSessionStorage` and the others of React Router, whose handlers stay as they are.
 *
 * A commit writes only the keys that changed, so that overlapping loaders and actions lose nothing of each other.
 * `commitSession` returns the value of a Set-Cookie header, or an empty text if the browser's cookie is still right.
 * Browsers ignore an empty one (RFC 6265bis). Of its options it takes `maxAge` and `expires`, which fix
 * when the session ends; the manager has all the others. `destroySession` ends the session in the backend.
 *
 * @throws TypeError `sessions` is not a session manager, or the name of the store is bad.
 * @throws SessionConfigError An option is unknown or wrong.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { createSessionStorage } from "@sessions/react-router";
 *
 * export const { getSession, commitSession, destroySession, sessionMiddleware } = createSessionStorage<
 *   { userId: string },
 *   { error: string }
 * >(createSessionManager(), { principal: ({ userId }) => userId });
 */
export function createSessionStorage<Data = SessionData, FlashData = Data>(
  sessions: SessionManager,
  options: SessionStorageOptions<Data, FlashData> = {},
): ManagedSessionStorage<Data, FlashData> {
  checkManager("createSessionStorage", sessions);
  checkOptions("createSessionStorage", options, ["adopt", "context", "principal", "store"]);
  const { adopt, context: sessionContext, principal, store = "react-router" } = options;
  for (const [name, given] of Object.entries({ adopt, principal }))
    checkOption(
      given === undefined || typeof given === "function",
      `createSessionStorage: ${name}`,
      "a function",
      given,
    );
  storesOf(sessions.create(), store); // refuses a bad name now, and not at the first request
  const running = new AsyncLocalStorage<Running<Data, FlashData>>();
  const { name: cookieName = "sid" } = cookieSettingsOf(sessions);

  const wrap = (session: ManagedSession): Session<Data, FlashData> =>
    wrapSession(session, storesOf(session, store));

  /** Logs the user in that the data names, if that is a new one. */
  function logIn(session: ManagedSession): void {
    // Looking at a session that no handler used would make every response depend on the cookie.
    if (!principal || !wasUsed(session)) return;
    const stores = Object.values(storesOf(session, store)).map((one) => ({ one, entries: [...one] }));
    // The type of the data is the application's claim.
    const user = principal(Object.fromEntries(stores[0]?.entries ?? []) as Partial<Data>);
    if (user === undefined || user === session.principal) return;
    session.login(user);
    // A login takes over no data of another user, but here it is the application that replaces one by the other.
    for (const { one, entries } of stores)
      for (const [key, value] of entries) if (!one.has(key)) one.set(key, value);
  }

  return {
    async getSession(cookieHeader, parseOptions = {}) {
      checkOptions("getSession", parseOptions, []);
      const current = running.getStore();
      if (current?.cookieHeader === (cookieHeader ?? "")) return current.session;
      return wrap(await sessions.open(cookieHeader));
    },

    async commitSession(wrapped, cookieOptions = {}) {
      checkOptions("commitSession", cookieOptions, ["maxAge", "expires"]);
      const { maxAge, expires } = cookieOptions;
      const end = maxAge === undefined ? expires : new Date(Date.now() + maxAge * 1000);
      const session = sessionOf(wrapped);
      // One after another, because a session cannot log in while a commit is under way.
      return serialize(session, async () => {
        logIn(session);
        if (end) session.setExpiry(end);
        return (await session.commit()).setCookie ?? "";
      });
    },

    async destroySession(wrapped, cookieOptions = {}) {
      checkOptions("destroySession", cookieOptions, []);
      const session = sessionOf(wrapped);
      return serialize(session, async () => {
        await session.logout();
        return (await session.commit()).setCookie ?? "";
      });
    },

    sessionMiddleware: ({ request, context }, next) =>
      withSession(
        sessions,
        request,
        async (session) => {
          const wrapped = wrap(session);
          if (sessionContext) context.set(sessionContext, wrapped);
          const cookieHeader = request.headers.get("Cookie") ?? "";
          const response = await running.run({ cookieHeader, session: wrapped }, next);
          await serialize(session, async () => logIn(session));
          return withoutCookie(response, cookieName);
        },
        { adopt },
      ),
  };
}
