import type { Duration } from "../base/duration.ts";
import { checkOptions } from "../base/options.ts";
import type { Context } from "../context/context.ts";
import { COOKIE, clearedCookie, cookieValues, formatCookie } from "../context/cookie.ts";
import { createEmitter, type Emitter, type SessionEvents } from "../context/events.ts";
import { readSettings, type SessionManagerOptions, type Settings } from "../context/settings.ts";
import { isClosableDriver, isProvisionedDriver } from "../driver/abilities.ts";
import { createSession } from "../session/managed-session.ts";
import { loadSession, type OpenOptions, openSession } from "../session/open.ts";
import { freshPhase } from "../session/phase.ts";
import type { Session } from "../session/session.ts";
import { newState, type Opened } from "../session/state.ts";
import { formatToken, newToken, parseToken } from "../token/token.ts";
import type { DestroyAllQuery, SessionInfo } from "./administration.ts";
import { type SweepOptions, startSweeping } from "./sweeping.ts";

/**
 * Opens, creates, lists, ends and sweeps sessions, and owns the cookie and every policy. {@link createSessionManager}
 * makes one. Its methods reject with `DriverUnavailableError` if the backend cannot be reached, and with
 * `SessionSetupError` if the backend lacks its tables.
 */
export interface SessionManager {
  /**
   * Opens the session that a Cookie header names, or a new one. A new session is stored when something is written to
   * it. Adapters call this method for you.
   * @example
   * const sessions = createSessionManager();
   *
   * export async function handle(request: Request): Promise<Response> {
   *   const session = await sessions.open(request.headers.get("Cookie"));
   *   session.store<{ count: number }>("visits").update("count", (n = 0) => n + 1);
   *   const { setCookie } = await session.commit({ seal: true });
   *   return new Response("Hello", setCookie === undefined ? {} : { headers: { "Set-Cookie": setCookie } });
   * }
   */
  open(cookieHeader: string | null | undefined, options?: OpenOptions): Promise<Session>;
  /**
   * Opens the session of a token that came without a cookie, such as from a mobile app. Returns `undefined` if the
   * token is not accepted. A client gets its token from the result of {@link Session.commit}.
   * @example
   * const sessions = createSessionManager();
   *
   * export async function userOf(request: Request): Promise<string | undefined> {
   *   const token = request.headers.get("Authorization")?.replace(/^Bearer /, "") ?? "";
   *   return (await sessions.load(token))?.principal;
   * }
   */
  load(token: string, options?: OpenOptions): Promise<Session | undefined>;
  /**
   * Returns a new session. Its first commit stores it even if it is empty.
   * @example
   * const session = createSessionManager().create();
   * session.login("anna");
   * const { token } = await session.commit();
   */
  create(): Session;
  /**
   * Returns a live session by its id, for administration, and for websockets after the handshake. The session can be
   * read and committed. It is never touched or rotated, and returns no cookie. Never pass an id that a visitor sent.
   */
  get(id: string): Promise<Session | undefined>;
  /**
   * Returns whether the session has a record, expired or not. A record that a login, `rotate()` or logout ended does
   * not count.
   */
  exists(id: string): Promise<boolean>;
  /** Returns whether the session is live. */
  valid(id: string): Promise<boolean>;
  /**
   * Ends a session. With `principal`, only if it belongs to that principal. Returns `false` if there is no such live
   * session.
   * @throws TypeError `principal` is `undefined`, which must not end the session of just anyone.
   */
  destroy(id: string, options?: { principal?: string | undefined }): Promise<boolean>;
  /**
   * Moves and fixes the expiry of a session, as {@link Session.setExpiry} does. Returns `false` if no live session has
   * the id.
   */
  setExpiry(id: string, at: Date): Promise<boolean>;
  /**
   * Lists live sessions: all, or those of one principal.
   * @throws SessionError `ERR_SESSION_UNSUPPORTED`: the driver cannot list, or not everyone's sessions.
   * @throws TypeError `principal` is `undefined`, which must not show the sessions of everyone.
   * @example
   * const sessions = createSessionManager();
   * for await (const { id, expiresAt, stores } of sessions.list({ principal: "anna" }))
   *   console.log(id, expiresAt.toISOString(), stores);
   */
  list(query?: { principal?: string | undefined }): AsyncIterableIterator<SessionInfo>;
  /**
   * Logs out everywhere, and returns how many sessions it ended: all of a principal (of them only those with a `label`,
   * and all `except` one id, if given), or those of everyone. It ends every session whose login was acknowledged before
   * the call. A login during the call may stay, so disable the account first. Sessions that begin over a minute later
   * stay, so that the call ends on a busy site.
   * @throws SessionError `ERR_SESSION_UNSUPPORTED`: the driver cannot list, or not everyone's sessions.
   * @throws TypeError Neither a principal nor `everyone: true` is given, or `label` is `undefined`.
   * @example
   * const sessions = createSessionManager();
   *
   * export const onPasswordChanged = (session: Session, userId: string) =>
   *   sessions.destroyAll({ principal: userId, except: session.id });
   */
  destroyAll(query: DestroyAllQuery): Promise<number>;
  /**
   * Removes expired records in batches, and returns how many. Call it from a cron job, or use
   * {@link SessionManager.startSweeping}.
   * @throws TypeError The range reaches into the future, so that it would remove live sessions.
   * @example
   * const sessions = createSessionManager();
   * const count = await sessions.sweep({ limit: 10_000 });
   */
  sweep(range?: SweepOptions): Promise<number>;
  /**
   * Sweeps in the background, about once per `every`. It does not keep the process alive. Returns a function that stops
   * it.
   * @example
   * const sessions = createSessionManager();
   * const stop = sessions.startSweeping({ every: "10m" });
   */
  startSweeping(options: { every: Duration }): () => void;
  /** Creates the backend's tables, indexes or folders. Does nothing if the driver needs none. Safe to repeat. */
  setup(): Promise<void>;
  /** Returns one sentence for each thing that is missing or wrong in the backend. */
  check(): Promise<string[]>;
  /** Removes the backend's tables, indexes or folders, and every session with them. */
  teardown(): Promise<void>;
  /** Returns the first well-formed token in a Cookie header, for applications that handle cookies themselves. */
  readToken(cookieHeader: string | null | undefined): string | undefined;
  /** Returns the value of a Set-Cookie header that removes the cookie. */
  clearCookie(): string;
  /**
   * Calls a listener for each event of {@link SessionEvents}. Returns a function that removes the listener.
   * @throws TypeError The event is unknown.
   * @example
   * const sessions = createSessionManager();
   * sessions.on("reused", ({ id, principal }) => console.warn("A copied cookie was used:", id, principal));
   * sessions.on("error", ({ error, during }) => console.error(during, error));
   */
  on<E extends keyof SessionEvents>(event: E, listener: (event: SessionEvents[E]) => void): () => void;
  /** Stops sweeping, waits for a running sweep, and closes the client that the driver opened itself. */
  close(): Promise<void>;
}

// Loaded at the first use: a request opens its session by a token, and looks at no others.
const administration = () => import("./administration.ts");

/**
 * Creates the one {@link SessionManager} of an application. Every option has a default.
 * @throws SessionConfigError An option is unknown, out of range, or contradicts another. The message names the option.
 * @example
 * import { createSessionManager, driverFromUrl } from "@sessions/core";
 *
 * const sessions = createSessionManager({
 *   driver: await driverFromUrl(process.env["SESSIONS_URL"] ?? "memory:"),
 *   idle: "2h",
 *   absolute: "14d",
 * });
 */
export function createSessionManager(options: SessionManagerOptions = {}): SessionManager {
  const { on, emit } = createEmitter();
  return createManager(createContext(readSettings(options), emit), on);
}

export function createContext(settings: Settings, emit: Emitter["emit"]): Context {
  const { cookie, keys } = settings;
  return {
    settings,
    emit,
    codecs: new WeakMap(),
    sizes: { ticks: 0, known: new Map() },
    newToken,
    tokenText: (token) => formatToken(token, cookie.name, keys),
  };
}

export function createManager(context: Context, on: SessionManager["on"]): SessionManager {
  const { settings, emit } = context;
  const { driver, clock, cookie, keys } = settings;
  const sweepings = new Set<() => Promise<unknown>>();
  const sweep: SessionManager["sweep"] = async (range) => (await administration()).sweep(context, range);

  return {
    ...{ [COOKIE]: cookie },
    on,
    open: (cookieHeader, openOptions) => openSession(context, cookieHeader, openOptions),
    load: (token, openOptions) => loadSession(context, token, openOptions),
    create() {
      const opened: Opened = { by: "token", touch: true, secure: false, device: undefined, at: clock() };
      return createSession(newState(context, opened, freshPhase(opened.at, true)));
    },
    get: async (id) => (await administration()).get(context, id),
    exists: async (id) => (await administration()).exists(context, id),
    valid: async (id) => (await administration()).valid(context, id),
    destroy: async (id, options) => (await administration()).destroy(context, id, options),
    setExpiry: async (id, at) => (await administration()).setExpiry(context, id, at),
    async *list(query) {
      yield* (await administration()).list(context, query);
    },
    destroyAll: async (query) => (await administration()).destroyAll(context, query),
    sweep,
    startSweeping(options) {
      checkOptions("sessions.startSweeping", options, ["every"]);
      const { every } = options;
      const stop = startSweeping(every, sweep, emit);
      sweepings.add(stop);
      return () => {
        // Keep it until it has ended, because close() waits for it.
        void stop().then(() => sweepings.delete(stop));
      };
    },
    async setup() {
      if (isProvisionedDriver(driver)) await driver.setup();
    },
    check: async () => (isProvisionedDriver(driver) ? driver.check() : []),
    async teardown() {
      if (isProvisionedDriver(driver)) await driver.teardown();
    },
    readToken: (cookieHeader) =>
      cookieValues(cookieHeader, cookie.name).find(
        (value) => typeof parseToken(value, cookie.name, keys) !== "string",
      ),
    clearCookie: () => formatCookie(clearedCookie(cookie)),
    async close() {
      await Promise.all([...sweepings].map((stop) => stop()));
      if (isClosableDriver(driver)) await driver.close();
    },
  };
}
